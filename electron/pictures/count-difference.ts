// How many signs of a linear differ between two models, counted over all weights.
import type { PictureDifference, Shape } from '../contract/pictures.ts'
import { layoutOf } from '../packed/decode.ts'
import type { Other } from './difference.ts'
import { picturesOf } from './linears.ts'
import type { OpenRun } from './open-run.ts'
import { pictureRows } from './rows.ts'
import { eachSlice } from './strips.ts'
import type { Pause } from './turns.ts'

export async function countDifference(
  run: OpenRun,
  other: Other,
  linear: string,
  shape: Shape,
  pause: Pause,
): Promise<PictureDifference> {
  const kinds = picturesOf(layoutOf(run.packed, linear), false)
  const whole = { first: 0, count: 1 }
  const column = kinds.includes('salient') ? await pictureRows(run, linear, 'salient', whole) : null
  const masked = kinds.includes('mask')
  const all = { signs: 0, flipped: 0 }
  const salient = { signs: 0, flipped: 0 }
  let mask: Float32Array | null = null
  await eachSlice(
    { run, linear, kind: 'flipped', shape, other },
    { first: 0, end: shape.rows },
    pause,
    async (rows, at) => {
      if (masked) mask = await pictureRows(run, linear, 'mask', { first: at, count: rows.length / shape.columns })
      for (let k = 0; k < rows.length; k++) {
        const flipped = rows[k]!
        if (flipped !== flipped) continue
        all.signs += 1
        all.flipped += flipped
        if ((mask?.[k] ?? column?.[k % shape.columns]) !== 1) continue
        salient.signs += 1
        salient.flipped += flipped
      }
    },
  )
  return { ...all, salient: masked || column ? salient : null }
}
