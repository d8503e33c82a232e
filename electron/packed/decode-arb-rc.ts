import { groupedBits } from './grouped.ts'
import { splitsOf, splitsSalient, type LayoutOf } from './layout.ts'
import type { Parts } from './parts.ts'

/** `arb-rc`: every weight is one or two signed products of a row scale (per block) and a column scale. */
export function decodeArbRc(layout: LayoutOf<'arb-rc'>, parts: Parts, weights: Float32Array): void {
  const { columns: n, blocksize } = layout
  const blocks = Math.ceil(n / blocksize)
  const bits = groupedBits(layout, parts)
  const rowScale = parts.scalars('row_scale')
  const columnScale = parts.scalars('column_scale')
  // Slots of row_scale: two orders of every salient group, then the other groups. A column has its own slots from 0 on.
  const otherSlot = splitsSalient(layout) ? 2 * (splitsOf(layout) + 1) : 2

  for (let i = 0; i < parts.rows; i++) {
    for (let j = 0; j < n; j++) {
      const t = Math.floor(j / blocksize)
      const product = (row: number, column: number) =>
        Math.fround(rowScale[(row * parts.rows + i) * blocks + t]! * columnScale[column * n + j]!)
      const group = bits.group(i, j)
      const first = 2 * group
      weights[i * n + j] = bits.isSalient(j)
        ? Math.fround(
            signed(bits.sign(i, j), product(first, first)) + signed(bits.second(i, j), product(first + 1, first + 1)),
          )
        : signed(bits.sign(i, j), product(otherSlot + group, group))
    }
  }
}

const signed = (bit: number, scale: number) => (bit === 1 ? scale : -scale)
