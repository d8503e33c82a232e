// A place to look from that viewers share: who moves one, moves all.
import {
  clampCell,
  clampCentre,
  ease,
  fit,
  pan,
  reveal,
  zoom,
  type MatrixSize,
  type Offset,
  type Size,
  type View,
} from './camera.ts'

const centre: Offset = { dx: 0, dy: 0 }
const still = () => matchMedia('(prefers-reduced-motion: reduce)').matches

export type Range = { first: number; last: number }

export class Camera {
  /** Null before a viewer has a size. */
  view = $state.raw<View | null>(null)
  /** The matrix is seen whole, and stays so when the window changes. */
  #whole = true
  #matrix: MatrixSize = { rows: 1, columns: 1 }
  #size: Size = { width: 1, height: 1 }
  #goal: { cell: number; at: Offset; last: number } | null = null

  /** What is looked at, and in how much space. Another shape is seen whole first. */
  place(matrix: MatrixSize, size: Size): void {
    const same = matrix.rows === this.#matrix.rows && matrix.columns === this.#matrix.columns
    this.#matrix = matrix
    this.#size = size
    if (!same) this.#whole = true
    if (this.#whole || this.view === null) this.view = fit(matrix, size)
    else this.view = clampCentre({ ...this.view, cell: clampCell(this.view.cell, matrix, size) }, matrix)
  }

  panBy(offset: Offset): void {
    if (this.view === null) return
    this.#whole = false
    this.view = clampCentre(pan(this.view, offset), this.#matrix)
  }

  zoomBy(factor: number, at: Offset = centre): void {
    this.zoomTo((this.#goal?.cell ?? this.view?.cell ?? 1) * factor, at)
  }

  /** A turn of a wheel: from where an eased zoom will end, or from what is seen. */
  turn(factor: number, at: Offset, smooth: boolean): void {
    if (smooth) this.zoomBy(factor, at)
    else this.zoomTo((this.view?.cell ?? 1) * factor, at, false)
  }

  /** At once where motion is not wanted. */
  zoomTo(cell: number, at: Offset = centre, smooth = true): void {
    if (this.view === null) return
    this.#whole = false
    const goal = clampCell(cell, this.#matrix, this.#size)
    if (!smooth || still()) {
      this.#goal = null
      this.view = clampCentre(zoom(this.view, goal, at), this.#matrix)
      return
    }
    const moving = this.#goal !== null
    this.#goal = { cell: goal, at, last: this.#goal?.last ?? performance.now() }
    if (!moving) requestAnimationFrame((now) => this.#move(now))
  }

  fitAll(): void {
    this.#whole = true
    this.#goal = null
    this.view = fit(this.#matrix, this.#size)
  }

  /** A place of the matrix, in weights, comes to the centre. */
  lookAt({ x, y }: { x: number; y: number }): void {
    if (this.view === null) return
    this.#whole = false
    this.#goal = null
    this.view = clampCentre({ ...this.view, x, y }, this.#matrix)
  }

  reveal(weight: { row: number; column: number }): void {
    if (this.view === null) return
    const view = clampCentre(reveal(this.view, this.#size, weight), this.#matrix)
    if (view.x === this.view.x && view.y === this.view.y) return
    this.#whole = false
    this.view = view
  }

  /** A part of the matrix in the middle of the view, with as much again around it. */
  show(part: { row: number; column: number; rows: number; columns: number }): void {
    if (this.view === null) return
    this.#whole = false
    this.#goal = null
    const room = Math.min(this.#size.width / part.columns, this.#size.height / part.rows) / 2
    const centre = { x: part.column + part.columns / 2, y: part.row + part.rows / 2 }
    this.view = clampCentre({ ...centre, cell: clampCell(room, this.#matrix, this.#size) }, this.#matrix)
  }

  /** The weights in sight; the ends are in it. Null before a viewer has a size. */
  get inSight(): { rows: Range; columns: Range } | null {
    if (this.view === null) return null
    const { x, y, cell } = this.view
    const along = (centre: number, length: number, count: number): Range => ({
      first: Math.max(0, Math.floor(centre - length / 2 / cell + 1e-9)),
      last: Math.min(count, Math.ceil(centre + length / 2 / cell - 1e-9)) - 1,
    })
    const { rows, columns } = this.#matrix
    return { rows: along(y, this.#size.height, rows), columns: along(x, this.#size.width, columns) }
  }

  #move(now: number): void {
    if (this.#goal === null || this.view === null) return
    const { cell, at, last } = this.#goal
    const next = ease(this.view.cell, cell, Math.max(1, now - last))
    this.view = clampCentre(zoom(this.view, next, at), this.#matrix)
    this.#goal = next === cell ? null : { cell, at, last: now }
    if (this.#goal) requestAnimationFrame((later) => this.#move(later))
  }
}

/** The weight that is pointed at, by the pointer or by the keyboard, in all linked viewers. */
export class Pointed {
  weight = $state.raw<{ row: number; column: number } | null>(null)

  /** Null where the matrix ends before it: another one may be seen meanwhile. */
  within({ rows, columns }: MatrixSize): { row: number; column: number } | null {
    return this.weight && this.weight.row < rows && this.weight.column < columns ? this.weight : null
  }

  at(weight: { row: number; column: number } | null): void {
    if (weight?.row !== this.weight?.row || weight?.column !== this.weight?.column) this.weight = weight
  }
}
