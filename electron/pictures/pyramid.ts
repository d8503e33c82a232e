// The coarser levels of a picture, from level 2 on, in one pass over the rows. Tiles can be had as soon as their rows are done.
import { topLevel, tileSize, type TilePlace } from '../contract/pictures.ts'
import { packedLevels } from '../contract/packed-tile.ts'
import { eachPacked, eachSlice, type PictureOf } from './strips.ts'
import { addPacked, addRows, addUp, bytesOf, levelSums, tileOfSums, type Sums } from './sums.ts'
import type { Pause, Turns } from './turns.ts'

export const firstLevel = packedLevels

export interface Pyramid {
  readonly bytes: number
  tile(place: TilePlace): Promise<Uint8Array<ArrayBuffer>>
}

export function buildPyramid(picture: PictureOf, turns: Turns): Pyramid {
  const { kind, shape, packed } = picture
  const levels: Sums[] = []
  for (let level = firstLevel; level <= topLevel(shape); level++) levels.push(levelSums(picture, level))
  const complete = levels.map(() => 0)
  let done = 0
  let failed: { error: unknown } | null = null
  let waiting: { rows: number; wake: () => void }[] = []
  const wake = () => {
    const ready = waiting.filter(({ rows }) => failed !== null || rows <= done)
    waiting = waiting.filter((one) => !ready.includes(one))
    for (const one of ready) one.wake()
  }

  const rise = (rows: number) => {
    done = rows
    // A row of cells goes up once all its weights are in.
    levels.forEach((sums, k) => {
      const up = levels[k + 1]
      const ready = done === shape.rows ? sums.rows : done >> (k + firstLevel)
      for (; complete[k]! < ready; complete[k]!++) if (up) addUp(sums, up, complete[k]!)
    })
    wake()
  }
  const all = { first: 0, end: shape.rows }
  const build = (pause: Pause) =>
    packed
      ? eachPacked({ ...picture, packed }, all, pause, (rows, row) => {
          addPacked(levels[0]!, rows, row)
          rise(row + rows.rows)
        })
      : eachSlice(picture, all, pause, (values, row) => {
          addRows(levels[0]!, kind, firstLevel, values, row, shape.columns)
          rise(row + values.length / shape.columns)
        })
  turns(build, 'background').catch((error: unknown) => {
    failed = { error }
    wake()
  })

  return {
    bytes: levels.reduce((total, sums) => total + bytesOf(sums), 0),
    async tile(place) {
      const rows = Math.min(shape.rows, (place.row + 1) * tileSize * 2 ** place.level)
      if (rows > done && failed === null) await new Promise<void>((wake) => waiting.push({ rows, wake }))
      if (failed !== null && rows > done) throw failed.error
      return tileOfSums(levels[place.level - firstLevel]!, picture, place)
    },
  }
}
