import type { LayoutOf } from './layout.ts'
import type { Parts } from './parts.ts'
import { bitAt, rowBytes } from './planes.ts'

/** `billm`: salient columns have two signs, the others one sign and a group; scales and means per row and block. */
export function decodeBillm(layout: LayoutOf<'billm'>, parts: Parts, weights: Float32Array): void {
  const { columns: n, blocksize } = layout
  const blocks = Math.ceil(n / blocksize)
  const sign = parts.bytes('sign')
  const plane2 = parts.bytes('plane2')
  const salient = parts.bytes('salient')
  const scale = parts.scalars('scale')
  const mean = parts.scalars('mean')
  const stride = rowBytes(n)
  const slot = parts.rows * blocks
  for (let i = 0; i < parts.rows; i++) {
    for (let t = 0; t < blocks; t++) {
      const at = i * blocks + t
      const end = Math.min(n, (t + 1) * blocksize)
      for (let j = t * blocksize; j < end; j++) {
        const positive = bitAt(sign, i * stride, j) === 1
        const second = bitAt(plane2, i * stride, j) === 1
        let w: number
        if (bitAt(salient, 0, j) === 1) {
          w = plusSigned(mean[at]!, positive, scale[at]!)
          w = plusSigned(w, second, scale[slot + at]!)
        } else if (second) w = plusSigned(mean[slot + at]!, positive, scale[2 * slot + at]!)
        else w = plusSigned(mean[2 * slot + at]!, positive, scale[3 * slot + at]!)
        weights[i * n + j] = w
      }
    }
  }
}

/** r(base + s(sign) * scale); the sign is exact, so there is one rounding. */
const plusSigned = (base: number, positive: boolean, scale: number) => Math.fround(base + (positive ? scale : -scale))
