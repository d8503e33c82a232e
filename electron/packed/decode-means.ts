import { splitsSalient, type LayoutOf } from './layout.ts'
import type { Parts } from './parts.ts'
import { bitAt, ranks, rowBytes } from './planes.ts'

/**
 * `billm`, `arb`, `arb-x`: salient columns have two signs, the others one sign and a group; scales and means per row and block.
 * With column_group_bitmap the salient columns have a group as well.
 */
export function decodeMeans(layout: LayoutOf<'billm' | 'arb' | 'arb-x'>, parts: Parts, weights: Float32Array): void {
  const { columns: n, blocksize } = layout
  const blocks = Math.ceil(n / blocksize)
  const slot = parts.rows * blocks
  const sign = parts.bytes('sign')
  const plane2 = parts.bytes('plane2')
  const scale = parts.scalars('scale')
  const mean = parts.scalars('mean')
  const stride = rowBytes(n)
  const split = splitsSalient(layout)
  // The second signs of the salient columns: in plane2 at their own column, or in plane3 at their rank.
  const second = split ? parts.bytes('plane3') : plane2
  const secondStride = split ? rowBytes(layout.salient_columns) : stride
  const rank = ranks(parts.bytes('salient'), n)
  const salientGroups = split ? 2 : 1

  for (let i = 0; i < parts.rows; i++) {
    for (let j = 0; j < n; j++) {
      const at = i * blocks + Math.floor(j / blocksize)
      const positive = bitAt(sign, i * stride, j)
      const bit = bitAt(plane2, i * stride, j)
      const place = rank[j]!
      let w: number
      if (place < 0) {
        const group = bit === 1 ? 0 : 1
        const base = mean[(salientGroups + group) * slot + at]!
        w = plusSigned(base, positive, scale[(2 * salientGroups + group) * slot + at]!)
      } else {
        const group = split && bit === 0 ? 1 : 0
        w = plusSigned(mean[group * slot + at]!, positive, scale[2 * group * slot + at]!)
        const positive2 = split ? bitAt(second, i * secondStride, place) : bit
        w = plusSigned(w, positive2, scale[(2 * group + 1) * slot + at]!)
      }
      weights[i * n + j] = w
    }
  }
}

/** r(base + s(sign) * scale); the sign is exact, so there is one rounding. */
const plusSigned = (base: number, bit: number, scale: number) => Math.fround(base + (bit === 1 ? scale : -scale))
