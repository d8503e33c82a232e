// The error of a linear, by blocks of 128 x 128 weights, from the tiles of its picture `error`. Pure.
import {
  cellsAt,
  tileShape,
  tileSize,
  topLevel,
  type Shape,
  type TilePlace,
} from '../../../electron/contract/pictures.ts'

/** Weights along the edge of a block: a cell of level 7. */
export const blockSize = 128
const blockLevel = 7

export type Block = { row: number; column: number; rows: number; columns: number; error: number }

/** The level that blocks are read from: their own, or the top one where the matrix has no such. */
export const levelOfBlocks = (shape: Shape) => Math.min(blockLevel, topLevel(shape))

export function tilesOfBlocks(shape: Shape): TilePlace[] {
  const level = levelOfBlocks(shape)
  const count = (weights: number) => Math.ceil(cellsAt(weights, level) / tileSize)
  return Array.from({ length: count(shape.rows) }, (_, row) =>
    Array.from({ length: count(shape.columns) }, (_, column) => ({ level, row, column })),
  ).flat()
}

/** Every block, the one with the largest root mean square error first. `tiles`: as tilesOfBlocks names them. */
export function blocksByError(shape: Shape, tiles: readonly Float32Array[]): Block[] {
  const level = levelOfBlocks(shape)
  const step = 2 ** level
  const across = cellsAt(shape.columns, blockLevel)
  const squares = new Float64Array(cellsAt(shape.rows, blockLevel) * across)
  for (const [k, place] of tilesOfBlocks(shape).entries()) {
    const cells = tileShape(shape, 'error', place)!
    for (let i = 0; i < cells.rows; i++) {
      const row = place.row * tileSize + i
      const height = Math.min(step, shape.rows - row * step)
      const block = (row >> (blockLevel - level)) * across
      for (let j = 0; j < cells.columns; j++) {
        const column = place.column * tileSize + j
        const width = Math.min(step, shape.columns - column * step)
        const error = tiles[k]![i * cells.columns + j]!
        squares[block + (column >> (blockLevel - level))]! += error * error * width * height
      }
    }
  }
  return Array.from(squares, (sum, k): Block => {
    const [row, column] = [Math.floor(k / across) * blockSize, (k % across) * blockSize]
    const rows = Math.min(blockSize, shape.rows - row)
    const columns = Math.min(blockSize, shape.columns - column)
    return { row, column, rows, columns, error: Math.sqrt(sum / (rows * columns)) }
  }).sort((a, b) => b.error - a.error || a.row - b.row || a.column - b.column)
}

/** Root mean square error of each block of 128 columns, from left to right. */
export function errorsByColumns(blocks: readonly Block[]): number[] {
  const sums = new Map<number, { squares: number; weights: number }>()
  for (const { column, rows, columns, error } of blocks) {
    const sum = sums.get(column) ?? { squares: 0, weights: 0 }
    sums.set(column, { squares: sum.squares + error * error * rows * columns, weights: sum.weights + rows * columns })
  }
  return [...sums].sort(([a], [b]) => a - b).map(([, { squares, weights }]) => Math.sqrt(squares / weights))
}

export const blockPlace = ({ row, column, rows, columns }: Block) =>
  `rows ${row} to ${row + rows - 1}, columns ${column} to ${column + columns - 1}`
