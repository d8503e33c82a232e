import type { LayoutOf } from './layout.ts'
import type { Parts } from './parts.ts'
import { bitAt, ranks, rowBytes } from './planes.ts'

/** Which slots of row_scale and column_scale a pair of scales is in. */
interface Slots {
  readonly row: number
  readonly column: number
}
interface Slotting {
  /** Salient columns, group concentrated (0) and sparse (1): first and second order. */
  readonly salient: readonly [readonly [Slots, Slots], readonly [Slots, Slots]]
  /** Other columns, group concentrated (0) and sparse (1). */
  readonly other: readonly [Slots, Slots]
}
const same = (slot: number): Slots => ({ row: slot, column: slot })
const pair = [same(0), same(1)] as const
// Without the bitmap salient columns have no groups: both are the same pair.
const ungrouped: Slotting = {
  salient: [pair, pair],
  other: [
    { row: 3, column: 1 },
    { row: 2, column: 0 },
  ],
}
const grouped: Slotting = {
  salient: [[same(2), same(3)], pair],
  other: [
    { row: 5, column: 1 },
    { row: 4, column: 0 },
  ],
}

/** `arb-rc`: every weight is one or two signed products of a row scale (per block) and a column scale. */
export function decodeArbRc(layout: LayoutOf<'arb-rc'>, parts: Parts, weights: Float32Array): void {
  const { columns: n, blocksize, salient_columns: k, column_group_bitmap: bitmap } = layout
  const blocks = Math.ceil(n / blocksize)
  const sign = parts.bytes('sign')
  const plane2 = parts.bytes('plane2')
  const stride = rowBytes(n)
  // The second signs of the salient columns: in plane2 at their own column, or in plane3 at their rank.
  const second = bitmap ? parts.bytes('plane3') : plane2
  const secondStride = bitmap ? rowBytes(k) : stride
  const rank = ranks(parts.bytes('salient'), n)
  const rowScale = parts.scalars('row_scale')
  const columnScale = parts.scalars('column_scale')
  const slots = bitmap ? grouped : ungrouped

  for (let i = 0; i < parts.rows; i++) {
    const scaleOf = (slot: Slots, t: number, j: number) =>
      Math.fround(rowScale[(slot.row * parts.rows + i) * blocks + t]! * columnScale[slot.column * n + j]!)
    for (let j = 0; j < n; j++) {
      const t = Math.floor(j / blocksize)
      const positive = bitAt(sign, i * stride, j)
      const group = bitAt(plane2, i * stride, j) === 1 ? 1 : 0
      const salientRank = rank[j]!
      if (salientRank < 0) weights[i * n + j] = signed(positive, scaleOf(slots.other[group], t, j))
      else {
        const [first, other] = slots.salient[group]
        const positive2 = bitAt(second, i * secondStride, bitmap ? salientRank : j)
        weights[i * n + j] = Math.fround(
          signed(positive, scaleOf(first, t, j)) + signed(positive2, scaleOf(other, t, j)),
        )
      }
    }
  }
}

const signed = (bit: number, scale: number) => (bit === 1 ? scale : -scale)
