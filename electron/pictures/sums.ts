// Cells of coarser levels as sums, so that they can be added up further; a tile is encoded from them when it is asked for.
import {
  cellsAt,
  encodingOf,
  noShare,
  shareByte,
  tileShape,
  tileSize,
  type PictureKind,
  type Shape,
  type TilePlace,
} from '../contract/pictures.ts'

/** A part of a level: some whole rows of its cells. */
export interface Sums {
  readonly rows: number
  readonly columns: number
  /** Of the weights of a cell; of their squares in the picture `error`. */
  readonly sum: Float32Array
  /** How many weights a cell has; null where all have a value and the shape says it. */
  readonly count: Uint32Array | null
}

export function newSums(kind: PictureKind, rows: number, columns: number): Sums {
  const count = encodingOf(kind) === 'share' ? new Uint32Array(rows * columns) : null
  return { rows, columns, sum: new Float32Array(rows * columns), count }
}

/** Adds rows of weights; `first`: the place of the first one, counted from the top of `sums` in weights. */
export function addRows(sums: Sums, kind: PictureKind, level: number, values: Float32Array, first: number, n: number) {
  const { sum, count, columns } = sums
  const square = kind === 'error'
  for (let start = 0, row = first; start < values.length; start += n, row++) {
    const base = (row >> level) * columns
    for (let j = 0; j < n; j++) {
      const value = values[start + j]!
      const cell = base + (j >> level)
      if (count === null) sum[cell]! += square ? value * value : value
      else if (value === value) {
        sum[cell]! += value
        count[cell]! += 1
      }
    }
  }
}

/** Adds row `row` of a level to the level above it. */
export function addUp(from: Sums, to: Sums, row: number): void {
  const source = row * from.columns
  const target = (row >> 1) * to.columns
  for (let j = 0; j < from.columns; j++) {
    to.sum[target + (j >> 1)]! += from.sum[source + j]!
    if (from.count && to.count) to.count[target + (j >> 1)]! += from.count[source + j]!
  }
}

/** The bytes of a tile. `top`: the row of the level that `sums` begins with. */
export function tileOfSums(sums: Sums, kind: PictureKind, shape: Shape, place: TilePlace, top = 0): Uint8Array {
  const size = tileShape(shape, kind, place)
  if (size === null) throw new RangeError('no such tile')
  const shares = encodingOf(kind) === 'share'
  const bytes = new Uint8Array(size.rows * size.columns * (shares ? 1 : 4))
  const values = shares ? null : new Float32Array(bytes.buffer)
  const weights = { rows: kind === 'salient' ? 1 : shape.rows, columns: shape.columns }
  const across = (total: number, cell: number) => Math.min(2 ** place.level, total - cell * 2 ** place.level)
  for (let i = 0; i < size.rows; i++) {
    const row = place.row * tileSize + i
    for (let j = 0; j < size.columns; j++) {
      const column = place.column * tileSize + j
      const at = (row - top) * sums.columns + column
      const total = sums.sum[at]!
      if (values) {
        const mean = total / (across(weights.rows, row) * across(weights.columns, column))
        values[i * size.columns + j] = kind === 'error' ? Math.sqrt(mean) : mean
      } else {
        const count = sums.count![at]!
        bytes[i * size.columns + j] = count === 0 ? noShare : shareByte(total / count)
      }
    }
  }
  return bytes
}

export const levelSums = (kind: PictureKind, { rows, columns }: Shape, level: number): Sums =>
  newSums(kind, cellsAt(kind === 'salient' ? 1 : rows, level), cellsAt(columns, level))

export const bytesOf = ({ sum, count }: Sums) => sum.byteLength + (count?.byteLength ?? 0)
