// The tiles of the two finest levels, a whole row of tiles at a time: the packed file is read by rows, and who looks at one tile
// looks at its neighbours next.
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
import { differenceRows, type Other } from './difference.ts'
import type { OpenRun } from './open-run.ts'
import { pictureRows } from './rows.ts'
import { addRows, bytesOf, levelSums, newSums, tileOfSums } from './sums.ts'
import type { Pause } from './turns.ts'

export interface Strip {
  readonly bytes: number
  /** Of a tile in the strip's own row. */
  tile(place: TilePlace): Uint8Array
}

/** `other`: what the run is compared with, in pictures of a pair. */
export type PictureOf = { run: OpenRun; linear: string; kind: PictureKind; shape: Shape; other?: Other }

/** Weights that are decoded in one go: 2 to 4 ms. */
const sliceWeights = 2 ** 17

/** Hands over rows `first` to `end` in slices. */
export async function eachSlice(
  { run, linear, kind, shape, other }: PictureOf,
  { first, end }: { first: number; end: number },
  pause: Pause,
  take: (values: Float32Array, row: number) => void | Promise<void>,
): Promise<void> {
  const step = Math.max(1, Math.floor(sliceWeights / shape.columns))
  for (let row = first; row < end; row += step) {
    const range = { first: row, count: Math.min(step, end - row) }
    await take(
      await (other ? differenceRows(run, other, linear, kind, range) : pictureRows(run, linear, kind, range)),
      row,
    )
    await pause()
    run.check()
    if (other && other !== 'original') other.check()
  }
}

export async function readStrip(picture: PictureOf, level: number, row: number, pause: Pause): Promise<Strip> {
  const { kind, shape } = picture
  const first = row * tileSize * 2 ** level
  const end = Math.min(shape.rows, first + tileSize * 2 ** level)
  if (kind === 'salient') return readSalient(picture, level)
  if (level === 0) return readFinest(picture, { first, end }, pause)
  const sums = newSums(kind, cellsAt(end - first, level), cellsAt(shape.columns, level))
  await eachSlice(picture, { first, end }, pause, (values, at) =>
    addRows(sums, kind, level, values, at - first, shape.columns),
  )
  return { bytes: bytesOf(sums), tile: (place) => tileOfSums(sums, kind, shape, place, row * tileSize) }
}

async function readFinest(picture: PictureOf, range: { first: number; end: number }, pause: Pause): Promise<Strip> {
  const { kind, shape } = picture
  const n = shape.columns
  const length = (range.end - range.first) * n
  const shares = encodingOf(kind) === 'share'
  const cells = shares ? new Uint8Array(length) : new Float32Array(length)
  await eachSlice(picture, range, pause, (values, at) => {
    const start = (at - range.first) * n
    if (!shares) cells.set(values, start)
    else
      for (let k = 0; k < values.length; k++)
        cells[start + k] = values[k] === values[k] ? shareByte(values[k]!) : noShare
  })
  const tile = (place: TilePlace) => {
    const size = tileShape(shape, kind, place)
    if (size === null) throw new RangeError('no such tile')
    const part = cells.slice(0, size.rows * size.columns)
    for (let i = 0; i < size.rows; i++) {
      const start = i * n + place.column * tileSize
      part.set(cells.subarray(start, start + size.columns), i * size.columns)
    }
    return new Uint8Array(part.buffer)
  }
  return { bytes: cells.byteLength, tile }
}

/** One row that speaks for all, at every level. */
async function readSalient({ run, linear, kind, shape }: PictureOf, level: number): Promise<Strip> {
  const sums = levelSums(kind, shape, level)
  addRows(sums, kind, level, await pictureRows(run, linear, kind, { first: 0, count: 1 }), 0, shape.columns)
  return { bytes: bytesOf(sums), tile: (place) => tileOfSums(sums, kind, shape, place) }
}
