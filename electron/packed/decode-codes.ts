import type { LayoutOf } from './layout.ts'
import type { Parts } from './parts.ts'
import { codeAt, rowBytes } from './planes.ts'

/** `rtn` and `gptq`: w = r(code_scale * (code - code_zero)), one scale and zero per group of stored columns. */
export function decodeCodes(layout: LayoutOf<'rtn' | 'gptq'>, parts: Parts, weights: Float32Array): void {
  const { columns: n, bits, group } = layout
  const groups = Math.ceil(n / group)
  const code = parts.bytes('code')
  const scale = parts.scalars('code_scale')
  const zero = zerosOf(layout, parts)
  const stride = rowBytes(n * bits)
  // No code of these widths lies across two bytes.
  const whole = 8 % bits === 0
  const most = 2 ** bits - 1
  for (let i = 0; i < parts.rows; i++) {
    for (let g = 0; g < groups; g++) {
      const groupScale = scale[i * groups + g]!
      const groupZero = zero(i * groups + g)
      const end = Math.min(n, (g + 1) * group)
      if (whole) {
        for (let j = g * group, bit = j * bits; j < end; j++, bit += bits) {
          const own = (code[i * stride + (bit >> 3)]! >> (bit & 7)) & most
          weights[i * n + j] = groupScale * (own - groupZero)
        }
        continue
      }
      for (let j = g * group; j < end; j++) {
        weights[i * n + j] = groupScale * (codeAt(code, i * stride, j, bits) - groupZero)
      }
    }
  }
}

/** The code of the value 0, by row and group: stored, or in the middle where the grid is symmetric. */
export function zerosOf(layout: LayoutOf<'rtn' | 'gptq'>, parts: Pick<Parts, 'bytes'>): (at: number) => number {
  const middle = 2 ** (layout.bits - 1)
  if (layout.symmetric) return () => middle
  const stored = parts.bytes('code_zero')
  return (at) => stored[at]!
}
