// The bits of billm and the ARB methods: which columns are salient, their second signs, and every weight's group.
import { splitsOf, splitsSalient, type LayoutOf } from './layout.ts'
import type { Parts } from './parts.ts'
import { bitAt, ranks, rowBytes } from './planes.ts'

export type GroupedLayout = LayoutOf<'billm' | 'arb' | 'arb-x' | 'arb-rc'>

export interface GroupedBits {
  isSalient(column: number): boolean
  sign(row: number, column: number): number
  /** Salient columns only. */
  second(row: number, column: number): number
  /** 0 is the sparse group; salient columns without groups of their own have 0. */
  group(row: number, column: number): number
}

export function groupedBits(layout: GroupedLayout, parts: Parts): GroupedBits {
  const { columns: n } = layout
  const stride = rowBytes(n)
  const sign = parts.bytes('sign')
  const plane2 = parts.bytes('plane2')
  const split = splitsSalient(layout)
  const splits = splitsOf(layout)
  const group2 = splits > 1 ? parts.bytes('group2') : null
  // The second signs of the salient columns: in plane2 at their own column, or in plane3 at their rank.
  const second = split ? parts.bytes('plane3') : plane2
  const secondStride = split ? rowBytes(layout.salient_columns) : stride
  const rank = ranks(parts.bytes('salient'), n)
  const isSalient = (column: number) => rank[column]! >= 0
  return {
    isSalient,
    sign: (row, column) => bitAt(sign, row * stride, column),
    second: (row, column) => bitAt(second, row * secondStride, split ? rank[column]! : column),
    group: (row, column) => {
      if (isSalient(column) && !split) return 0
      const high = bitAt(plane2, row * stride, column)
      return splits - (group2 ? 2 * high + bitAt(group2, row * stride, column) : high)
    },
  }
}

/** Whether a weight is in a group that three groups do not have: both bits set. */
export function strangeGroups(layout: GroupedLayout, parts: Parts): boolean {
  if (splitsOf(layout) !== 2) return false
  const [high, low] = [parts.bytes('plane2'), parts.bytes('group2')]
  return high.some((byte, k) => (byte & low[k]!) !== 0)
}
