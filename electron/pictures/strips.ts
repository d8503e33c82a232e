// The tiles of the two finest levels, a whole row of tiles at a time: the packed file is read by rows, and who looks at one tile
// looks at its neighbours next.
import { cellsAt, tileShape, tileSize, type PictureKind, type Shape, type TilePlace } from '../contract/pictures.ts'
import { rowWords, weightsOf } from '../contract/packed-tile.ts'
import type { RowRange } from '../packed/parts.ts'
import { newBits, type BitRows } from './bit-matrix.ts'
import { differenceRows, type Other } from './difference.ts'
import type { OpenRun } from './open-run.ts'
import type { PackedReader, PackedRows } from './packed-rows.ts'
import { pictureRows } from './rows.ts'
import { addRows, bytesOf, newSums, tileOfSums } from './sums.ts'
import type { Pause } from './turns.ts'

export interface Strip {
  readonly bytes: number
  /** Of a tile in the strip's own row. */
  tile(place: TilePlace): Uint8Array<ArrayBuffer>
}

/**
 * `other`: what the run is compared with, in pictures of a pair. `packed`: what reads its rows, where it is a picture of small numbers.
 */
export type PictureOf = {
  run: OpenRun
  linear: string
  kind: PictureKind
  shape: Shape
  other?: Other
  packed?: PackedReader | null
}
type Rows = { first: number; end: number }

/** Weights that are decoded in one go: 2 to 4 ms. Stored bits are only moved and counted. */
const sliceWeights = 2 ** 17
const movedWeights = 2 ** 21

/** Rows `first` to `end` in slices, with a rest after each. Slices begin at multiples of 4 rows if `first` does. */
async function eachRange(
  { run, shape, other, packed }: PictureOf,
  { first, end }: Rows,
  pause: Pause,
  take: (range: RowRange) => Promise<void>,
): Promise<void> {
  const weights = packed?.stored ? movedWeights : sliceWeights
  const step = Math.max(4, 4 * Math.floor(weights / shape.columns / 4))
  for (let row = first; row < end; row += step) {
    await take({ first: row, count: Math.min(step, end - row) })
    await pause()
    run.check()
    if (other && other !== 'original') other.check()
  }
}

/** Decoded rows: [range.count * columns]. */
export const rowsOf = ({ run, linear, kind, other }: PictureOf, range: RowRange): Promise<Float32Array> =>
  other ? differenceRows(run, other, linear, kind, range) : pictureRows(run, linear, kind, range)

/** Hands over decoded rows. */
export const eachSlice = (
  picture: PictureOf,
  rows: Rows,
  pause: Pause,
  take: (values: Float32Array, row: number) => void | Promise<void>,
): Promise<void> => eachRange(picture, rows, pause, async (range) => take(await rowsOf(picture, range), range.first))

/** Hands over packed rows. */
export const eachPacked = (
  picture: PictureOf & { packed: PackedReader },
  rows: Rows,
  pause: Pause,
  take: (rows: PackedRows, row: number) => void,
): Promise<void> =>
  eachRange(picture, rows, pause, async (range) => take(await picture.packed.read(range), range.first))

export async function readStrip(picture: PictureOf, level: number, row: number, pause: Pause): Promise<Strip> {
  const { kind, shape, packed } = picture
  const first = row * tileSize * 2 ** level
  const end = Math.min(shape.rows, first + tileSize * 2 ** level)
  if (kind === 'salient') return readSalient(picture, level)
  if (packed) return readPacked({ ...picture, packed }, { first, end }, pause)
  if (level === 0) return readFinest(picture, { first, end }, pause)
  const sums = newSums(cellsAt(end - first, level), cellsAt(shape.columns, level))
  await eachSlice(picture, { first, end }, pause, (values, at) =>
    addRows(sums, kind, level, values, at - first, shape.columns),
  )
  return { bytes: bytesOf(sums), tile: (place) => tileOfSums(sums, picture, place, row * tileSize) }
}

async function readPacked(picture: PictureOf & { packed: PackedReader }, range: Rows, pause: Pause): Promise<Strip> {
  const { shape, packed } = picture
  const { width } = packed.packing
  const count = range.end - range.first
  const bits = newBits(count, shape.columns * width)
  const byWeight = packed.byWeight ? newBits(count, shape.columns) : null
  let all = true
  await eachPacked(picture, range, pause, (rows, at) => {
    bits.words.set(rows.bits.words, (at - range.first) * rowWords(shape.columns, width))
    if (byWeight === null) return
    const flags = rowWords(shape.columns, 1)
    const from = (at - range.first) * flags
    if (rows.present.rows > 0) {
      all = false
      byWeight.words.set(rows.present.words, from)
    } else byWeight.words.fill(0xffffffff, from, from + rows.rows * flags)
  })
  const present = byWeight === null ? packed.present : all ? newBits(0, shape.columns) : byWeight
  return {
    bytes: bits.words.byteLength + present.words.byteLength,
    tile(place) {
      const size = weightsOf(shape, place)
      if (size === null) throw new RangeError('no such tile')
      const left = place.column * tileSize * 2 ** place.level
      const parts = [cut(bits, left * width, size.columns * width), cut(present, left, size.columns)]
      const words = new Uint32Array(parts[0]!.length + parts[1]!.length)
      words.set(parts[0]!)
      words.set(parts[1]!, parts[0]!.length)
      return new Uint8Array(words.buffer)
    },
  }
}

/** Columns `left` to `left + count` of every row; `left` lies at the beginning of a word. */
function cut({ rows, columns, words }: BitRows, left: number, count: number): Uint32Array {
  const [from, to] = [rowWords(columns, 1), rowWords(count, 1)]
  const part = new Uint32Array(rows * to)
  for (let i = 0; i < rows; i++) {
    const start = i * from + (left >> 5)
    part.set(words.subarray(start, start + to), i * to)
  }
  return part
}

async function readFinest(picture: PictureOf, range: Rows, pause: Pause): Promise<Strip> {
  const { kind, shape } = picture
  const n = shape.columns
  const cells = new Float32Array((range.end - range.first) * n)
  await eachSlice(picture, range, pause, (values, at) => cells.set(values, (at - range.first) * n))
  const tile = (place: TilePlace) => {
    const size = tileShape(shape, kind, place)
    if (size === null) throw new RangeError('no such tile')
    const part = new Float32Array(size.rows * size.columns)
    for (let i = 0; i < size.rows; i++) {
      const start = i * n + place.column * tileSize
      part.set(cells.subarray(start, start + size.columns), i * size.columns)
    }
    return new Uint8Array(part.buffer)
  }
  return { bytes: cells.byteLength, tile }
}

/** One row that speaks for all, at every level. */
async function readSalient(picture: PictureOf, level: number): Promise<Strip> {
  const { run, linear, kind, shape } = picture
  const sums = newSums(1, cellsAt(shape.columns, level))
  addRows(sums, kind, level, await pictureRows(run, linear, kind, { first: 0, count: 1 }), 0, shape.columns)
  return { bytes: bytesOf(sums), tile: (place) => tileOfSums(sums, picture, place) }
}
