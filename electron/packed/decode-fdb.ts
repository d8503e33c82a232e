import type { LayoutOf } from './layout.ts'
import type { Parts } from './parts.ts'
import { bitAt, rowBytes } from './planes.ts'

/** `fdb`: two planes of 0 and 1, a scale for each per row and group: w = r(b1 * a1 + b2 * a2). */
export function decodeFdb(layout: LayoutOf<'fdb'>, parts: Parts, weights: Float32Array): void {
  const { columns: n, group } = layout
  const groups = Math.ceil(n / group)
  const slot = parts.rows * groups
  const first = parts.bytes('sign')
  const second = parts.bytes('plane2')
  const scale = parts.scalars('scale')
  const stride = rowBytes(n)
  for (let i = 0; i < parts.rows; i++) {
    for (let j = 0; j < n; j++) {
      const at = i * groups + Math.floor(j / group)
      const a1 = bitAt(first, i * stride, j) === 1 ? scale[at]! : 0
      const a2 = bitAt(second, i * stride, j) === 1 ? scale[slot + at]! : 0
      weights[i * n + j] = a1 + a2
    }
  }
}
