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
import { rowWords } from '../contract/packed-tile.ts'
import { countBlocks, type BitRows } from './bit-matrix.ts'
import type { PackedReader, PackedRows } from './packed-rows.ts'

type Numbers = Float32Array | Uint32Array | Uint8Array

/** A part of a level: some whole rows of its cells. */
export interface Sums {
  readonly rows: number
  readonly columns: number
  /** Of the weights of a cell; of their squares in the picture `error`. */
  readonly sum: Numbers
  /** How many weights of a cell have a number; null where the shape and the columns say it. */
  readonly count: Numbers | null
}

/** What a picture's cells are made of. */
export type Source = {
  kind: PictureKind
  shape: Shape
  /** None: of decoded values. */
  packed?: PackedReader | null
}

export const newSums = (rows: number, columns: number): Sums => ({
  rows,
  columns,
  sum: new Float32Array(rows * columns),
  count: null,
})

/** Of a level of the whole picture, from 2 on. Up to 64 ones of bits fit into a byte. */
export function levelSums({ kind, shape, packed }: Source, level: number): Sums {
  const rows = cellsAt(kind === 'salient' ? 1 : shape.rows, level)
  const columns = cellsAt(shape.columns, level)
  const whole = () => (level <= 3 ? new Uint8Array(rows * columns) : new Uint32Array(rows * columns))
  const sum = packed?.packing.width === 1 ? whole() : new Float32Array(rows * columns)
  return { rows, columns, sum, count: packed?.byWeight ? whole() : null }
}

/** Adds rows of weights; `first`: the place of the first one, counted from the top of `sums` in weights. */
export function addRows(sums: Sums, kind: PictureKind, level: number, values: Float32Array, first: number, n: number) {
  const { sum, columns } = sums
  const square = kind === 'error'
  for (let start = 0, row = first; start < values.length; start += n, row++) {
    const base = (row >> level) * columns
    for (let j = 0; j < n; j++) {
      const value = values[start + j]!
      sum[base + (j >> level)]! += square ? value * value : value
    }
  }
}

/** Adds packed rows to level 2; `first`: a multiple of 4. */
export function addPacked(sums: Sums, rows: PackedRows, first: number): void {
  const { sum, count, columns } = sums
  for (let row = 0; row < rows.rows; row += 4) {
    const at = ((first + row) >> 2) * columns
    if (sum instanceof Uint8Array) countBlocks(rows.bits, row, sum, at)
    else addNumbers(sum, rows, row, at)
    if (!(count instanceof Uint8Array)) continue
    if (rows.present.rows > 0) countBlocks(rows.present, row, count, at)
    else countAll(count, at, Math.min(4, rows.rows - row), rows.columns)
  }
}

function addNumbers(sum: Numbers, { rows, columns, packing: { width }, bits }: PackedRows, row: number, at: number) {
  const stride = rowWords(columns, width)
  const most = 2 ** width - 1
  for (let i = row; i < Math.min(rows, row + 4); i++) {
    for (let j = 0; j < columns; j++) {
      const bit = j * width
      sum[at + (j >> 2)]! += (bits.words[i * stride + (bit >> 5)]! >>> (bit & 31)) & most
    }
  }
}

function countAll(count: Numbers, at: number, rows: number, columns: number): void {
  for (let block = 0; 4 * block < columns; block++) count[at + block] = rows * Math.min(4, columns - 4 * block)
}

/** Adds row `row` of a level to the level above it. */
export function addUp(from: Sums, to: Sums, row: number): void {
  const source = row * from.columns
  const target = (row >> 1) * to.columns
  for (let j = 0; j < from.columns; j++) to.sum[target + (j >> 1)]! += from.sum[source + j]!
  if (from.count === null || to.count === null) return
  for (let j = 0; j < from.columns; j++) to.count[target + (j >> 1)]! += from.count[source + j]!
}

/** How many columns of every cell of a level have a number. */
export function columnsWith({ shape, packed }: Pick<Source, 'shape' | 'packed'>, level: number): Uint32Array {
  const found = new Uint32Array(cellsAt(shape.columns, level))
  const present: BitRows | null = packed && packed.present.rows > 0 ? packed.present : null
  for (let j = 0; j < shape.columns; j++) {
    if (present === null || ((present.words[j >> 5]! >>> (j & 31)) & 1) === 1) found[j >> level]! += 1
  }
  return found
}

/** Writes the sums of a tile's row, and how many weights they are of, from the tile's first column on. */
export type FillRow = (row: number, sums: Float64Array, counts: Float64Array) => void

export function encodeTile({ kind, packed }: Source, size: Shape, fill: FillRow): Uint8Array<ArrayBuffer> {
  const shares = encodingOf(kind) === 'share'
  const steps = packed?.packing.steps ?? 1
  const bytes = new Uint8Array(size.rows * size.columns * (shares ? 1 : 4))
  const values = shares ? null : new Float32Array(bytes.buffer)
  const sums = new Float64Array(size.columns)
  const counts = new Float64Array(size.columns)
  for (let i = 0; i < size.rows; i++) {
    fill(i, sums, counts)
    for (let j = 0; j < size.columns; j++) {
      const at = i * size.columns + j
      const count = counts[j]!
      const mean = sums[j]! / (steps * count)
      if (values) values[at] = kind === 'error' ? Math.sqrt(mean) : mean
      else bytes[at] = count === 0 ? noShare : shareByte(mean)
    }
  }
  return bytes
}

/** The bytes of a tile. `top`: the row of the level that `sums` begins with. */
export function tileOfSums(sums: Sums, source: Source, place: TilePlace, top = 0): Uint8Array<ArrayBuffer> {
  const { shape, kind } = source
  const size = tileShape(shape, kind, place)
  if (size === null) throw new RangeError('no such tile')
  const step = 2 ** place.level
  const weights = kind === 'salient' ? 1 : shape.rows
  const across = columnsWith(source, place.level)
  return encodeTile(source, size, (i, into, counts) => {
    const row = place.row * tileSize + i
    const down = Math.min(step, weights - row * step)
    for (let j = 0; j < size.columns; j++) {
      const column = place.column * tileSize + j
      const at = (row - top) * sums.columns + column
      into[j] = sums.sum[at]!
      counts[j] = sums.count?.[at] ?? down * across[column]!
    }
  })
}

export const bytesOf = ({ sum, count }: Sums) => sum.byteLength + (count?.byteLength ?? 0)
