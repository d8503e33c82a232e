// The opposite of reading, for tests: bits, codes and scalars to bytes, written apart from the code that reads them.
import type { ScalarType } from '../layout.ts'

/** One string of 0 and 1 per row, column 0 first: plane('101', '010'). Spaces are for the eye. */
export function plane(...rows: string[]): Uint8Array {
  return Uint8Array.from(rows.flatMap((row) => [...bitsToBytes(row.replaceAll(' ', ''))]))
}

/** Codes of one or more rows of equal length. */
export function codes(bits: number, ...rows: number[][]): Uint8Array {
  return plane(...rows.map((row) => row.map((code) => reversed(code.toString(2).padStart(bits, '0'))).join('')))
}

/** Elias-Fano code of the set columns of every row: the two streams, each a string of bits. */
export function eliasFano(rows: readonly (readonly number[])[], columns: number, low: number) {
  const lowBits = rows.flat().map((column) => reversed((column % 2 ** low).toString(2).padStart(low, '0')))
  const highBits = rows.map((row) => {
    const buckets = Array.from({ length: Math.ceil(columns / 2 ** low) }, (_, bucket) =>
      row.filter((column) => Math.floor(column / 2 ** low) === bucket),
    )
    return buckets.map((bucket) => '1'.repeat(bucket.length) + '0').join('')
  })
  return { low: plane(lowBits.join('')), high: plane(highBits.join('')) }
}

function bitsToBytes(text: string): number[] {
  const bytes: number[] = []
  for (let start = 0; start < text.length; start += 8) {
    bytes.push(Number.parseInt(reversed(text.slice(start, start + 8).padEnd(8, '0')), 2))
  }
  return bytes
}

const reversed = (text: string) => [...text].reverse().join('')

/** Little-endian scalars. Only values that the type holds exactly: a test must not depend on a rounding it does not see. */
export function scalars(type: ScalarType, ...values: number[]): Uint8Array {
  const width = type === 'f32' ? 4 : 2
  const view = new DataView(new ArrayBuffer(values.length * width))
  values.forEach((value, k) => {
    if (type === 'f32') view.setFloat32(4 * k, value, true)
    else if (type === 'bf16') view.setUint16(2 * k, bf16Bits(value), true)
    else view.setUint16(2 * k, f16Bits(value), true)
    if (type === 'f32' && !Object.is(view.getFloat32(4 * k, true), value)) throw inexact(value, type)
  })
  return new Uint8Array(view.buffer)
}

function bf16Bits(value: number): number {
  const view = new DataView(new ArrayBuffer(4))
  view.setFloat32(0, value)
  if (view.getFloat32(0) !== value || view.getUint16(2) !== 0) throw inexact(value, 'bf16')
  return view.getUint16(0)
}

function f16Bits(value: number): number {
  const sign = Object.is(value, -0) || value < 0 ? 0x8000 : 0
  const size = Math.abs(value)
  if (size === 0) return sign
  const exponent = Math.max(-14, Math.floor(Math.log2(size)))
  const steps = size / 2 ** (exponent - 10) // 1024 to 2047 for a normal value, fewer for a subnormal one
  if (!Number.isInteger(steps) || steps > 2047 || exponent > 15) throw inexact(value, 'f16')
  return sign + (steps < 1024 ? steps : (exponent + 15) * 1024 + (steps - 1024))
}

export const u16 = (...values: number[]) => new Uint8Array(new Uint16Array(values).buffer)
export const u32 = (...values: number[]) => new Uint8Array(new Uint32Array(values).buffer)

const inexact = (value: number, type: string) => new Error(`${value} is no ${type} value`)
