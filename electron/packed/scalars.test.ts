import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { scalarsToF32 } from './scalars.ts'
import { scalars, u16, u32 } from './testing/pack.ts'

const bitsOf = (values: Float32Array) => [...new Uint32Array(values.buffer)]

describe('F16', () => {
  const every = Uint16Array.from({ length: 65_536 }, (_, bits) => bits)
  const values = scalarsToF32('f16', new Uint8Array(every.buffer))

  test('all 65,536 values are those of the formula', () => {
    const wrong = [...every].filter((bits) => !Object.is(values[bits], formula(bits)))
    expect(wrong).toEqual([])
  })

  test('a NaN keeps its sign and payload', () => {
    expect(bitsOf(scalarsToF32('f16', u16(0x7e01, 0xfe01)))).toEqual([0x7fc02000, 0xffc02000])
  })
})

/** IEEE 754 binary16 in numbers, no bits of an F32. */
function formula(bits: number): number {
  const sign = bits >= 0x8000 ? -1 : 1
  const exponent = Math.floor(bits / 1024) % 32
  const fraction = (bits % 1024) / 1024
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  if (exponent === 0) return sign * fraction * 2 ** -14
  return sign * (1 + fraction) * 2 ** (exponent - 15)
}

test('a BF16 is the upper half of an F32', () => {
  const every = Array.from({ length: 65_536 }, (_, bits) => bits)
  expect(bitsOf(scalarsToF32('bf16', u16(...every)))).toEqual(every.map((bits) => bits * 65_536))
})

test('an F32 stays as it is, NaN and -0 too', () => {
  const bits = [0x3f800000, 0x80000000, 0x7fc12345, 0xffc00001, 1]
  expect(bitsOf(scalarsToF32('f32', u32(...bits)))).toEqual(bits)
})

test('bytes may start anywhere in their buffer', () => {
  const bytes = Uint8Array.from([9, ...scalars('f16', 1.5, -0.25)])
  expect([...scalarsToF32('f16', bytes.subarray(1))]).toEqual([1.5, -0.25])
})

test('what a type holds exactly comes back', () => {
  fc.assert(
    fc.property(fc.constantFrom('f16', 'bf16', 'f32'), fc.array(fc.integer({ min: -128, max: 128 })), (type, steps) => {
      const values = steps.map((step) => step / 64)
      expect([...scalarsToF32(type, scalars(type, ...values))]).toEqual(values)
    }),
  )
})
