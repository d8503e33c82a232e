import { groupedBits } from './grouped.ts'
import { splitsOf, splitsSalient, type LayoutOf } from './layout.ts'
import type { Parts } from './parts.ts'

/**
 * `billm`, `arb`, `arb-x`: salient columns have two signs, the others one sign; scales and means per group, row and block.
 * With column_group_bitmap the salient columns have groups as well.
 */
export function decodeMeans(layout: LayoutOf<'billm' | 'arb' | 'arb-x'>, parts: Parts, weights: Float32Array): void {
  const { columns: n, blocksize } = layout
  const blocks = Math.ceil(n / blocksize)
  const slot = parts.rows * blocks
  const bits = groupedBits(layout, parts)
  const scale = parts.scalars('scale')
  const mean = parts.scalars('mean')
  const salientGroups = splitsSalient(layout) ? splitsOf(layout) + 1 : 1

  for (let i = 0; i < parts.rows; i++) {
    for (let j = 0; j < n; j++) {
      const at = i * blocks + Math.floor(j / blocksize)
      const group = bits.group(i, j)
      const positive = bits.sign(i, j)
      if (bits.isSalient(j)) {
        const first = plusSigned(mean[group * slot + at]!, positive, scale[2 * group * slot + at]!)
        weights[i * n + j] = plusSigned(first, bits.second(i, j), scale[(2 * group + 1) * slot + at]!)
      } else {
        const base = mean[(salientGroups + group) * slot + at]!
        weights[i * n + j] = plusSigned(base, positive, scale[(2 * salientGroups + group) * slot + at]!)
      }
    }
  }
}

/** r(base + s(sign) * scale); the sign is exact, so there is one rounding. */
const plusSigned = (base: number, bit: number, scale: number) => Math.fround(base + (bit === 1 ? scale : -scale))
