// What is drawn over the matrix in two dimensions: lines between cells and blocks, numbers in cells, rulers, the pointed weight.
import type { PictureKind } from '../../../electron/contract/pictures.ts'
import { inkOn, type Rgb } from '../colours.ts'
import { origin, type MatrixSize } from './camera.ts'
import { cellText } from './paint.ts'
import { stepFor, ticks } from './rulers.ts'
import { extentSeen, type Scene } from './scene.ts'

/** Left of the matrix, and above it. */
export const rulerSize = { width: 46, height: 20 }
export const gridCell = 8
export const textCell = 40

export type OverlayColours = { ink: string; muted: string; line: string; ground: string; accent: string; font: string }
export type Overlay = {
  kind: PictureKind
  colours: OverlayColours
  pointed: { row: number; column: number } | null
  /** Of level 0; undefined while it is not there, NaN where there is none. */
  valueAt: (row: number, column: number) => number | undefined
  /** Of a cell with all that lies over it. */
  colourAt: (row: number, column: number) => Rgb
}

type Plot = { left: number; top: number; cell: number; ratio: number; width: number; height: number }
type Range = { first: number; last: number }

export function drawOverlay(context: CanvasRenderingContext2D, scene: Scene, overlay: Overlay): void {
  const { ratio, size, view, linear } = scene
  const { left, top } = origin(view, size, ratio)
  const x0 = Math.round(rulerSize.width * ratio)
  const y0 = Math.round(rulerSize.height * ratio)
  const [width, height] = [Math.round(size.width * ratio), Math.round(size.height * ratio)]
  const plot: Plot = { left: left + x0, top: top + y0, cell: view.cell * ratio, ratio, width, height }
  const seen = extentSeen(scene)
  const within = (from: number, to: number, count: number): Range => ({
    first: Math.max(0, Math.floor(from)),
    last: Math.min(count - 1, Math.ceil(to) - 1),
  })
  const rows = within(seen.top, seen.bottom, linear.rows)
  const columns = within(seen.left, seen.right, linear.columns)

  context.setTransform(1, 0, 0, 1, 0, 0)
  context.clearRect(0, 0, context.canvas.width, context.canvas.height)
  context.save()
  context.beginPath()
  context.rect(x0, y0, width, height)
  context.clip()
  drawFrame(context, plot, linear, overlay.colours)
  if (view.cell >= gridCell) drawGrid(context, plot, rows, columns, overlay.colours)
  if (view.cell >= gridCell && !linear.ordered)
    drawBlocks(context, plot, rows, columns, linear.blocksize, overlay.colours)
  if (view.cell >= textCell) drawNumbers(context, plot, rows, columns, overlay)
  if (overlay.pointed) drawPointed(context, plot, overlay.pointed, overlay.colours)
  context.restore()
  drawRulers(context, scene, plot, overlay)
}

/** The edge of the matrix, for pictures as pale or dark as the ground beside it. */
function drawFrame(context: CanvasRenderingContext2D, plot: Plot, shape: MatrixSize, colours: OverlayColours): void {
  context.lineWidth = 1
  context.strokeStyle = colours.line
  context.globalAlpha = 0.5
  const [left, top] = [Math.round(plot.left) - 0.5, Math.round(plot.top) - 0.5]
  const width = Math.round(shape.columns * plot.cell) + 1
  context.strokeRect(left, top, width, Math.round(shape.rows * plot.cell) + 1)
  context.globalAlpha = 1
}

/** Lines one device pixel wide, on whole ones. */
function lines(context: CanvasRenderingContext2D, plot: Plot, rows: Range, columns: Range, step: number): void {
  const at = (start: number, index: number) => Math.round(start + index * plot.cell) + 0.5
  const [top, bottom] = [at(plot.top, rows.first), at(plot.top, rows.last + 1)]
  const [left, right] = [at(plot.left, columns.first), at(plot.left, columns.last + 1)]
  context.beginPath()
  for (let column = Math.ceil(columns.first / step) * step; column <= columns.last + 1; column += step) {
    context.moveTo(at(plot.left, column), top)
    context.lineTo(at(plot.left, column), bottom)
  }
  if (step === 1) {
    for (let row = rows.first; row <= rows.last + 1; row++) {
      context.moveTo(left, at(plot.top, row))
      context.lineTo(right, at(plot.top, row))
    }
  }
  context.stroke()
}

function drawGrid(context: CanvasRenderingContext2D, plot: Plot, rows: Range, columns: Range, colours: OverlayColours) {
  context.lineWidth = 1
  context.strokeStyle = colours.ground
  // Fades in, so that it does not appear all at once.
  context.globalAlpha = Math.min(0.55, (plot.cell / plot.ratio - gridCell) / 12 + 0.12)
  lines(context, plot, rows, columns, 1)
  context.globalAlpha = 1
}

function drawBlocks(
  context: CanvasRenderingContext2D,
  plot: Plot,
  rows: Range,
  columns: Range,
  blocksize: number,
  colours: OverlayColours,
): void {
  context.lineWidth = Math.max(1, Math.round(1.5 * plot.ratio))
  context.strokeStyle = colours.ink
  context.globalAlpha = 0.8
  lines(context, plot, rows, columns, blocksize)
  context.globalAlpha = 1
}

function drawNumbers(
  context: CanvasRenderingContext2D,
  plot: Plot,
  rows: Range,
  columns: Range,
  overlay: Overlay,
): void {
  const size = Math.min(13, 9 + (plot.cell / plot.ratio - textCell) / 14) * plot.ratio
  context.font = `500 ${size}px ${overlay.colours.font}`
  context.textAlign = 'center'
  context.textBaseline = 'middle'
  for (let row = rows.first; row <= rows.last; row++) {
    for (let column = columns.first; column <= columns.last; column++) {
      const value = overlay.valueAt(row, column)
      if (value === undefined) continue
      context.fillStyle = inkOn(overlay.colourAt(row, column))
      const x = plot.left + (column + 0.5) * plot.cell
      const y = plot.top + (row + 0.5) * plot.cell
      context.fillText(cellText(overlay.kind, value), x, y, plot.cell - 4 * plot.ratio)
    }
  }
}

function drawPointed(
  context: CanvasRenderingContext2D,
  plot: Plot,
  { row, column }: { row: number; column: number },
  colours: OverlayColours,
): void {
  const x = plot.left + column * plot.cell
  const y = plot.top + row * plot.cell
  const right = rulerSize.width * plot.ratio + plot.width
  const bottom = rulerSize.height * plot.ratio + plot.height
  context.fillStyle = colours.ink
  context.globalAlpha = 0.5
  const thin = Math.max(1, Math.round(plot.ratio))
  const [middleX, middleY] = [Math.round(x + plot.cell / 2), Math.round(y + plot.cell / 2)]
  // The lines leave the weight itself free, and numbers in cells readable.
  const gap = Math.max(plot.cell / 2, 5 * plot.ratio)
  const lined = plot.cell < textCell * plot.ratio
  if (lined) {
    context.fillRect(0, middleY, middleX - gap, thin)
    context.fillRect(middleX + gap, middleY, right, thin)
    context.fillRect(middleX, 0, thin, middleY - gap)
    context.fillRect(middleX, middleY + gap, thin, bottom)
  }
  context.globalAlpha = 1
  const room = Math.max(0, 2.5 * plot.ratio - plot.cell / 2)
  for (const [width, colour] of [
    [3 * plot.ratio, colours.ground],
    [1.5 * plot.ratio, colours.ink],
  ] as const) {
    context.lineWidth = width
    context.strokeStyle = colour
    context.strokeRect(x - room, y - room, plot.cell + 2 * room, plot.cell + 2 * room)
  }
}

function drawRulers(context: CanvasRenderingContext2D, scene: Scene, plot: Plot, { colours, pointed }: Overlay): void {
  const { ratio, linear } = scene
  const [x0, y0] = [rulerSize.width * ratio, rulerSize.height * ratio]
  const seen = extentSeen(scene)
  context.font = `${10.5 * ratio}px ${colours.font}`
  context.textBaseline = 'middle'
  const tick = 4 * ratio
  const thin = Math.max(1, Math.round(ratio))
  const across = stepFor(scene.view.cell, 56)
  const down = stepFor(scene.view.cell, 34)
  const middle = (start: number, index: number) => Math.round(start + (index + 0.5) * plot.cell)

  context.save()
  context.beginPath()
  context.rect(x0, 0, plot.width, y0)
  context.clip()
  context.textAlign = 'center'
  for (const column of ticks(seen.left - across, seen.right + across, linear.columns, across)) {
    if (pointed && Math.abs(pointed.column - column) * plot.cell < 44 * ratio) continue
    const x = middle(plot.left, column)
    context.fillStyle = colours.line
    context.fillRect(x, y0 - tick, thin, tick)
    context.fillStyle = colours.muted
    context.fillText(String(column), x, y0 - tick - 7 * ratio)
  }
  if (pointed) {
    context.fillStyle = colours.ink
    context.fillText(String(pointed.column), middle(plot.left, pointed.column), y0 - tick - 7 * ratio)
  }
  context.restore()

  context.save()
  context.beginPath()
  context.rect(0, y0, x0, plot.height)
  context.clip()
  context.textAlign = 'right'
  for (const row of ticks(seen.top - down, seen.bottom + down, linear.rows, down)) {
    if (pointed && Math.abs(pointed.row - row) * plot.cell < 14 * ratio) continue
    const y = middle(plot.top, row)
    context.fillStyle = colours.line
    context.fillRect(x0 - tick, y, tick, thin)
    context.fillStyle = colours.muted
    context.fillText(String(row), x0 - tick - 3 * ratio, y)
  }
  if (pointed) {
    context.fillStyle = colours.ink
    context.fillText(String(pointed.row), x0 - tick - 3 * ratio, middle(plot.top, pointed.row))
  }
  context.restore()
}
