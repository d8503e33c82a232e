// A small map of the whole matrix: how large it is, what it shows, and where the view lies on it.
import type { Shape } from '../../../electron/contract/pictures.ts'
import type { Rgb } from '../colours.ts'
import type { MatrixSize, Size, View } from './camera.ts'

/** Of the longer side; the shorter one is never thinner than `thin`. CSS pixels. */
const longest = 112
const thin = 14

export function mapSize({ rows, columns }: MatrixSize): Size {
  const scale = longest / Math.max(rows, columns)
  return { width: Math.max(thin, Math.round(columns * scale)), height: Math.max(thin, Math.round(rows * scale)) }
}

/** Something of the matrix is out of sight, and the map does not hide a small view. */
export function isMapped(view: View, matrix: MatrixSize, size: Size): boolean {
  const [width, height] = [size.width / view.cell, size.height / view.cell]
  const whole = width >= matrix.columns && height >= matrix.rows
  return !whole && size.width > 3 * longest && size.height > 2 * longest
}

/** What is in sight, in pixels of the map, within it, and large enough to be seen. */
export function viewOnMap(view: View, matrix: MatrixSize, size: Size, map: Size) {
  const along = (centre: number, seen: number, count: number, pixels: number) => {
    const from = Math.max(0, ((centre - seen / 2) / count) * pixels)
    const to = Math.min(pixels, ((centre + seen / 2) / count) * pixels)
    const length = Math.max(5, to - from)
    return { from: Math.min(pixels - length, from), length }
  }
  const x = along(view.x, size.width / view.cell, matrix.columns, map.width)
  const y = along(view.y, size.height / view.cell, matrix.rows, map.height)
  return { left: x.from, top: y.from, width: x.length, height: y.length }
}

/** The weight under a point of the map. */
export const placeOnMap = (at: { x: number; y: number }, matrix: MatrixSize, map: Size) => ({
  x: (Math.min(map.width, Math.max(0, at.x)) / map.width) * matrix.columns,
  y: (Math.min(map.height, Math.max(0, at.y)) / map.height) * matrix.rows,
})

/** RGBA of a picture of `rows` x `columns` cells. */
export function mapPixels({ rows, columns }: Shape, colourOf: (row: number, column: number) => Rgb) {
  const data = new Uint8ClampedArray(4 * rows * columns)
  for (let i = 0, at = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++, at += 4) {
      const [red, green, blue] = colourOf(i, j)
      data[at] = red
      data[at + 1] = green
      data[at + 2] = blue
      data[at + 3] = 255
    }
  }
  return data
}
