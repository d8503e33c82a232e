// The numbers of a layout: its three scalar types, converted to F32 exactly (F16 and BF16 values are a subset of the F32 values), and
// its whole numbers.
import type { ScalarType } from './layout.ts'

/** `bytes`: little-endian elements of `type`. */
export function scalarsToF32(type: ScalarType, bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const count = bytes.byteLength / (type === 'f32' ? 4 : 2)
  // Written as bits, so that a NaN keeps its payload.
  const bits = new Uint32Array(count)
  if (type === 'f32') for (let k = 0; k < count; k++) bits[k] = view.getUint32(4 * k, true)
  else if (type === 'bf16') for (let k = 0; k < count; k++) bits[k] = view.getUint16(2 * k, true) << 16
  else for (let k = 0; k < count; k++) bits[k] = f16ToF32Bits(view.getUint16(2 * k, true))
  return new Float32Array(bits.buffer)
}

/** F16: 1 sign, 5 exponent (bias 15), 10 fraction bits. F32: 1, 8 (bias 127), 23. */
export function f16ToF32Bits(half: number): number {
  const sign = (half & 0x8000) << 16
  const exponent = (half >> 10) & 0x1f
  const fraction = half & 0x3ff
  if (exponent === 0x1f) return (sign | 0x7f800000 | (fraction << 13)) >>> 0
  if (exponent > 0) return (sign | ((exponent + 127 - 15) << 23) | (fraction << 13)) >>> 0
  if (fraction === 0) return sign >>> 0
  // Subnormal: fraction * 2^-24. Its highest set bit becomes the hidden bit of a normal F32.
  const top = 31 - Math.clz32(fraction)
  return (sign | ((top - 24 + 127) << 23) | ((fraction << (23 - top)) & 0x7fffff)) >>> 0
}

/** Little-endian whole numbers. */
export function unsigned(dtype: 'U16' | 'U32', bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const width = dtype === 'U16' ? 2 : 4
  const at = (k: number) => (width === 2 ? view.getUint16(2 * k, true) : view.getUint32(4 * k, true))
  return Uint32Array.from({ length: bytes.length / width }, (_, k) => at(k))
}
