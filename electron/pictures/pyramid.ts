// The coarser levels of a picture, from level 2 on, in one pass over the rows. Tiles can be had as soon as their rows are done.
import { topLevel, tileSize, type TilePlace } from '../contract/pictures.ts'
import { eachSlice, type PictureOf } from './strips.ts'
import { addRows, addUp, bytesOf, levelSums, tileOfSums, type Sums } from './sums.ts'
import type { Turns } from './turns.ts'

export const firstLevel = 2

export interface Pyramid {
  readonly bytes: number
  tile(place: TilePlace): Promise<Uint8Array>
}

export function buildPyramid(picture: PictureOf, turns: Turns): Pyramid {
  const { kind, shape } = picture
  const levels: Sums[] = []
  for (let level = firstLevel; level <= topLevel(shape); level++) levels.push(levelSums(kind, shape, level))
  const complete = levels.map(() => 0)
  let done = 0
  let failed: { error: unknown } | null = null
  let waiting: { rows: number; wake: () => void }[] = []
  const wake = () => {
    const ready = waiting.filter(({ rows }) => failed !== null || rows <= done)
    waiting = waiting.filter((one) => !ready.includes(one))
    for (const one of ready) one.wake()
  }

  const take = (values: Float32Array, row: number) => {
    addRows(levels[0]!, kind, firstLevel, values, row, shape.columns)
    done = row + values.length / shape.columns
    // A row of cells goes up once all its weights are in.
    levels.forEach((sums, k) => {
      const up = levels[k + 1]
      const ready = done === shape.rows ? sums.rows : done >> (k + firstLevel)
      for (; complete[k]! < ready; complete[k]!++) if (up) addUp(sums, up, complete[k]!)
    })
    wake()
  }
  turns((pause) => eachSlice(picture, { first: 0, end: shape.rows }, pause, take)).catch((error: unknown) => {
    failed = { error }
    wake()
  })

  return {
    bytes: levels.reduce((total, sums) => total + bytesOf(sums), 0),
    async tile(place) {
      const rows = Math.min(shape.rows, (place.row + 1) * tileSize * 2 ** place.level)
      if (rows > done && failed === null) await new Promise<void>((wake) => waiting.push({ rows, wake }))
      if (failed !== null && rows > done) throw failed.error
      return tileOfSums(levels[place.level - firstLevel]!, kind, shape, place)
    },
  }
}
