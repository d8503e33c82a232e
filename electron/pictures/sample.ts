// The coarser levels of a picture from a few of its rows, for the time until all of them were read: a row of cells of the
// coarsest level is told by a row or more from its middle.
import { cellsAt, tileShape, tileSize, topLevel, type Shape, type TilePlace } from '../contract/pictures.ts'
import { firstLevel } from './pyramid.ts'
import { rowsOf, type PictureOf } from './strips.ts'
import { addPacked, addRows, columnsWith, encodeTile, levelSums, type Sums } from './sums.ts'
import type { Pause } from './turns.ts'

export interface Sample {
  readonly bytes: number
  /** Of the rows. */
  readonly share: number
  tile(place: TilePlace): Uint8Array<ArrayBuffer>
}

/** A person waits for no more than these. */
const sampledWeights = 2 ** 21
/** Ranges that are read together, between two rests: most of the time goes into waiting for the file. */
const atOnce = 16

export type SampledRows = { first: number; count: number }[]

/** Of every row of cells of the coarsest level, up to 4 neighbouring rows from its middle. */
export function rowsForSample({ rows, columns }: Shape): SampledRows {
  const step = 2 ** topLevel({ rows, columns })
  const most = Math.floor(sampledWeights / columns / Math.ceil(rows / step))
  const wish = Math.max(1, Math.min(4, most))
  return Array.from({ length: Math.ceil(rows / step) }, (_, k) => {
    const there = Math.min(step, rows - k * step)
    const count = Math.min(wish, there)
    return { first: k * step + Math.floor((there - count) / 2), count }
  })
}

export async function readSample(picture: PictureOf, pause: Pause): Promise<Sample> {
  const { run, kind, shape, packed } = picture
  const ranges = rowsForSample(shape)
  // A row of level 2 for every range.
  const four = { ...picture, shape: { rows: 4 * ranges.length, columns: shape.columns } }
  const sums: Sums = levelSums(four, firstLevel)
  for (let first = 0; first < ranges.length; first += atOnce) {
    const together = ranges.slice(first, first + atOnce)
    if (packed) {
      const rows = await Promise.all(together.map((range) => packed.read(range)))
      rows.forEach((one, k) => addPacked(sums, one, 4 * (first + k)))
    } else {
      const rows = await Promise.all(together.map((range) => rowsOf(picture, range)))
      rows.forEach((one, k) => addRows(sums, kind, firstLevel, one, 4 * (first + k), shape.columns))
    }
    await pause()
    run.check()
  }
  const across = columnsWith(picture, firstLevel)
  const top = topLevel(shape)
  return {
    bytes: sums.sum.byteLength + (sums.count?.byteLength ?? 0),
    share: ranges.reduce((total, { count }) => total + count, 0) / shape.rows,
    tile(place) {
      const size = tileShape(shape, kind, place)
      if (size === null) throw new RangeError('no such tile')
      const step = 2 ** (place.level - firstLevel)
      const last = cellsAt(shape.columns, firstLevel)
      return encodeTile(picture, size, (i, into, counts) => {
        const k = (place.row * tileSize + i) >> (top - place.level)
        const base = k * sums.columns
        for (let j = 0; j < size.columns; j++) {
          const from = (place.column * tileSize + j) * step
          let [sum, count] = [0, 0]
          for (let column = from; column < Math.min(last, from + step); column++) {
            sum += sums.sum[base + column]!
            count += sums.count?.[base + column] ?? ranges[k]!.count * across[column]!
          }
          into[j] = sum
          counts[j] = count
        }
      })
    },
  }
}
