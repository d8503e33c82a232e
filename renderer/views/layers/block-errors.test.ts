import { expect, test } from 'vitest'
import { tileShape, tileSize, type Shape } from '../../../electron/contract/pictures.ts'
import { blockPlace, blocksByError, blockSize, errorsByColumns, levelOfBlocks, tilesOfBlocks } from './block-errors.ts'

/** Tiles of root mean squares of made-up errors, and the blocks' by brute force. */
function madeUp(shape: Shape, error: (row: number, column: number) => number) {
  const level = levelOfBlocks(shape)
  const step = 2 ** level
  const rms = (top: number, left: number, size: number) => {
    let [sum, count] = [0, 0]
    for (let i = top; i < Math.min(shape.rows, top + size); i++)
      for (let j = left; j < Math.min(shape.columns, left + size); j++, count++) sum += error(i, j) ** 2
    return Math.sqrt(sum / count)
  }
  const tiles = tilesOfBlocks(shape).map((place) => {
    const cells = tileShape(shape, 'error', place)!
    return Float32Array.from({ length: cells.rows * cells.columns }, (_, k) =>
      rms(
        (place.row * tileSize + Math.floor(k / cells.columns)) * step,
        (place.column * tileSize + (k % cells.columns)) * step,
        step,
      ),
    )
  })
  return { tiles, rms }
}

test.each([
  { rows: 300, columns: 700 },
  { rows: 90, columns: 100 },
  { rows: 1, columns: 1000 },
])('$rows x $columns: each block is the root mean square of its weights, the worst first', (shape) => {
  const { tiles, rms } = madeUp(shape, (i, j) => Math.sin(i * 7.3 + j) + (j > 500 ? 1 : 0))
  const blocks = blocksByError(shape, tiles)
  expect(blocks).toHaveLength(Math.ceil(shape.rows / blockSize) * Math.ceil(shape.columns / blockSize))
  for (const { row, column, error } of blocks) expect(error).toBeCloseTo(rms(row, column, blockSize), 6)
  const errors = blocks.map(({ error }) => error)
  expect(errors).toEqual(errors.toSorted((a, b) => b - a))
  expect(blocks.reduce((sum, { rows, columns }) => sum + rows * columns, 0)).toBe(shape.rows * shape.columns)
})

test('a matrix larger than one tile of blocks has several', () => {
  const shape = { rows: 128, columns: 128 * 257 }
  expect(levelOfBlocks(shape)).toBe(7)
  expect(tilesOfBlocks(shape)).toHaveLength(2)
  const tiles = tilesOfBlocks(shape).map((place) => new Float32Array(tileShape(shape, 'error', place)!.columns).fill(1))
  tiles[1]![0] = 3
  expect(blocksByError(shape, tiles)[0]).toEqual({ row: 0, column: 128 * 256, rows: 128, columns: 128, error: 3 })
})

test('by columns, and in words', () => {
  const blocks = [
    { row: 0, column: 128, rows: 128, columns: 20, error: 4 },
    { row: 0, column: 0, rows: 128, columns: 128, error: 3 },
    { row: 128, column: 0, rows: 128, columns: 128, error: 1 },
    { row: 128, column: 128, rows: 128, columns: 20, error: 4 },
  ]
  expect(errorsByColumns(blocks)).toEqual([Math.sqrt(5), 4])
  expect(blockPlace(blocks[0]!)).toBe('rows 0 to 127, columns 128 to 147')
})
