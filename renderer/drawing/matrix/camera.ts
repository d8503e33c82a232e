// Where a viewer looks: pure functions over a point of the matrix, in weights, and the size of a weight, in CSS pixels.

/** x: columns, y: rows, both from the matrix' upper left corner; they lie at the centre of the view. */
export type View = { x: number; y: number; cell: number }
/** CSS pixels. */
export type Size = { width: number; height: number }
export type Offset = { dx: number; dy: number }
export type MatrixSize = { rows: number; columns: number }

export const largestCell = 96
/** A weight for each so many pixels, for the key 1. */
export const readableCell = 16
/** Of the view's edge, around a matrix that is seen whole. */
const margin = 8

/** The whole matrix, centred. */
export function fit(matrix: MatrixSize, size: Size): View {
  const width = Math.max(1, size.width - 2 * margin)
  const height = Math.max(1, size.height - 2 * margin)
  const cell = Math.min(width / matrix.columns, height / matrix.rows, largestCell)
  return { x: matrix.columns / 2, y: matrix.rows / 2, cell }
}

/** Half of what is seen whole is the smallest; small matrices may be magnified as far as all others. */
export function clampCell(cell: number, matrix: MatrixSize, size: Size): number {
  return Math.min(largestCell, Math.max(cell, fit(matrix, size).cell / 2))
}

/** The centre stays on the matrix. */
export const clampCentre = (view: View, matrix: MatrixSize): View => ({
  ...view,
  x: Math.min(matrix.columns, Math.max(0, view.x)),
  y: Math.min(matrix.rows, Math.max(0, view.y)),
})

/** Moves the matrix under the view by so many pixels. */
export const pan = (view: View, { dx, dy }: Offset): View => ({
  ...view,
  x: view.x - dx / view.cell,
  y: view.y - dy / view.cell,
})

/** Another size of a weight; what lies `at` pixels from the centre stays there. */
export function zoom(view: View, cell: number, { dx, dy }: Offset): View {
  return { x: view.x + dx / view.cell - dx / cell, y: view.y + dy / view.cell - dy / cell, cell }
}

/** The part of the way to a new size that is gone after so many milliseconds: fast at first. In logarithms, so that it looks even. */
export function ease(from: number, to: number, milliseconds: number, time = 55): number {
  const gone = 1 - Math.exp(-milliseconds / time)
  const cell = from * (to / from) ** gone
  return Math.abs(Math.log(to / cell)) < 0.002 ? to : cell
}

/** The weight at a point of the view; it may lie outside the matrix. */
export const weightAt = (view: View, size: Size, at: { x: number; y: number }) => ({
  row: Math.floor(view.y + (at.y - size.height / 2) / view.cell),
  column: Math.floor(view.x + (at.x - size.width / 2) / view.cell),
})

/**
 * The matrix' upper left corner in device pixels of the view. From one device pixel per weight on it lies on a whole one, so
 * that borders of cells do not swim while the matrix is moved.
 */
export function origin(view: View, size: Size, ratio: number): { left: number; top: number } {
  const left = (size.width / 2 - view.x * view.cell) * ratio
  const top = (size.height / 2 - view.y * view.cell) * ratio
  return view.cell * ratio < 1 ? { left, top } : { left: Math.round(left), top: Math.round(top) }
}

/** The smallest move of the view that shows a weight whole, with `room` pixels around it. */
export function reveal(view: View, size: Size, weight: { row: number; column: number }, room = 24): View {
  const along = (centre: number, place: number, length: number) => {
    const half = Math.max(view.cell / 2, length / 2 - room) / view.cell
    return Math.min(place + half, Math.max(place + 1 - half, centre))
  }
  return {
    ...view,
    x: along(view.x, weight.column, size.width),
    y: along(view.y, weight.row, size.height),
  }
}
