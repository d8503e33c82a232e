import { planesOf, type LayoutOf } from './layout.ts'
import type { Parts } from './parts.ts'
import { rowBytes } from './planes.ts'

/** `signum-rc`: a signed product of scales, a second one in the first stored columns, a third one in the first of those. */
export function decodeSignumRc(layout: LayoutOf<'signum-rc'>, parts: Parts, weights: Float32Array): void {
  for (const { suffix, columns } of planesOf(layout)) addPlane(layout, parts, suffix, columns, weights)
}

/** Adds s(sign) * r(row scale * column scale) to the first `width` stored columns; the first plane is the first to be there. */
function addPlane(
  layout: LayoutOf<'signum-rc'>,
  parts: Parts,
  suffix: string,
  width: number,
  weights: Float32Array,
): void {
  const { blocksize, columns: n } = layout
  const blocks = Math.ceil(width / blocksize)
  const stride = rowBytes(width)
  const sign = parts.bytes(`sign${suffix}`)
  const rowScale = parts.scalars(`row_scale${suffix}`)
  const columnScale = layout.column_scales ? parts.scalars(`column_scale${suffix}`) : new Float32Array(width).fill(1)
  const isFirst = suffix === ''
  for (let i = 0; i < parts.rows; i++) {
    for (let block = 0; block < blocks; block++) {
      const scale = rowScale[i * blocks + block]!
      const end = Math.min(width, (block + 1) * blocksize)
      for (let j = block * blocksize; j < end; j++) {
        const size = Math.fround(scale * columnScale[j]!)
        const value = (sign[i * stride + (j >> 3)]! >> (j & 7)) & 1 ? size : -size
        const at = i * n + j
        weights[at] = isFirst ? value : weights[at]! + value
      }
    }
  }
}
