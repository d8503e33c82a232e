import { planesOf, type LayoutOf } from './layout.ts'
import type { Parts } from './parts.ts'
import { bitAt, rowBytes } from './planes.ts'

/** `signum-rc`: a signed product of scales, a second one in the first stored columns, a third one in the first of those. */
export function decodeSignumRc(layout: LayoutOf<'signum-rc'>, parts: Parts, weights: Float32Array): void {
  const n = layout.columns
  for (const { suffix, columns } of planesOf(layout)) {
    const plane = signedScales(layout, parts, suffix, columns)
    for (let i = 0; i < parts.rows; i++) {
      for (let j = 0; j < columns; j++) {
        const value = plane[i * columns + j]!
        weights[i * n + j] = suffix === '' ? value : Math.fround(weights[i * n + j]! + value)
      }
    }
  }
}

/** s(sign) * r(row scale * column scale) for the first `width` stored columns: [rows, width]. */
function signedScales(layout: LayoutOf<'signum-rc'>, parts: Parts, suffix: string, width: number): Float32Array {
  const { blocksize } = layout
  const blocks = Math.ceil(width / blocksize)
  const stride = rowBytes(width)
  const sign = parts.bytes(`sign${suffix}`)
  const rowScale = parts.scalars(`row_scale${suffix}`)
  const columnScale = layout.column_scales ? parts.scalars(`column_scale${suffix}`) : new Float32Array(width).fill(1)
  const products = new Float32Array(parts.rows * width)
  for (let i = 0; i < parts.rows; i++) {
    for (let j = 0; j < width; j++) {
      const scale = Math.fround(rowScale[i * blocks + Math.floor(j / blocksize)]! * columnScale[j]!)
      products[i * width + j] = bitAt(sign, i * stride, j) === 1 ? scale : -scale
    }
  }
  return products
}
