import type { LayoutOf } from './layout.ts'
import type { Parts } from './parts.ts'
import { bitAt, rowBytes } from './planes.ts'

/** `signum-rc`: a signed product of scales, and a second one in the first k stored columns. */
export function decodeSignumRc(layout: LayoutOf<'signum-rc'>, parts: Parts, weights: Float32Array): void {
  const { columns: n, second_columns: k } = layout
  const first = signedScales(layout, parts, { sign: 'sign', row: 'row_scale', column: 'column_scale' }, n)
  weights.set(first)
  if (k === 0) return
  const second = signedScales(layout, parts, { sign: 'sign2', row: 'row_scale2', column: 'column_scale2' }, k)
  for (let i = 0; i < parts.rows; i++) {
    for (let j = 0; j < k; j++) weights[i * n + j] = Math.fround(first[i * n + j]! + second[i * k + j]!)
  }
}

/** s(sign) * r(row scale * column scale) for the first `width` stored columns: [rows, width]. */
function signedScales(
  layout: LayoutOf<'signum-rc'>,
  parts: Parts,
  roles: { sign: string; row: string; column: string },
  width: number,
): Float32Array {
  const { blocksize } = layout
  const blocks = Math.ceil(width / blocksize)
  const stride = rowBytes(width)
  const sign = parts.bytes(roles.sign)
  const rowScale = parts.scalars(roles.row)
  const columnScale = layout.column_scales ? parts.scalars(roles.column) : new Float32Array(width).fill(1)
  const products = new Float32Array(parts.rows * width)
  for (let i = 0; i < parts.rows; i++) {
    for (let j = 0; j < width; j++) {
      const scale = Math.fround(rowScale[i * blocks + Math.floor(j / blocksize)]! * columnScale[j]!)
      products[i * width + j] = bitAt(sign, i * stride, j) === 1 ? scale : -scale
    }
  }
  return products
}
