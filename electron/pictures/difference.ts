// What differs between two models in one linear: rows of pictures of a pair.
import type { PictureKind } from '../contract/pictures.ts'
import type { RowRange } from '../packed/parts.ts'
import type { OpenRun } from './open-run.ts'
import { pictureRows, signOf } from './rows.ts'

/** What a run is compared with: another run, or the original weights. */
export type Other = OpenRun | 'original'

/** [range.count * columns]: `flipped` 1 where the signs differ, NaN where one of them is missing; `change` |error of other| - |error of run|. */
export async function differenceRows(run: OpenRun, other: Other, linear: string, kind: PictureKind, range: RowRange) {
  const of = kind === 'flipped' ? 'sign' : 'error'
  const [first, second] = await Promise.all([
    pictureRows(run, linear, of, range),
    other === 'original'
      ? pictureRows(run, linear, 'original', range).then((rows) => rows.map(signOf))
      : pictureRows(other, linear, of, range),
  ])
  if (kind === 'change') return first.map((error, k) => Math.abs(second[k]!) - Math.abs(error))
  return first.map((sign, k) => (Number.isNaN(sign) || Number.isNaN(second[k]!) ? NaN : Number(sign !== second[k])))
}
