import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bitAt, codeAt, rowBytes, setBits } from './planes.ts'
import { codes, plane } from './testing/pack.ts'

test('the least significant bit comes first, and a row is padded to a byte', () => {
  // Columns 0, 3 and 8: byte 0 = 2^0 + 2^3, byte 1 = 2^0.
  const bytes = Uint8Array.from([0b00001001, 0b00000001])
  expect(setBits(bytes, 9)).toEqual([0, 3, 8])
  expect(plane('100100001')).toEqual(bytes)
  expect([0, 1, 8, 9].map(rowBytes)).toEqual([0, 1, 1, 2])
})

test('a code across two bytes', () => {
  // 3 bits: codes 5, 6, 7 from bits 0, 3 and 6. 5 + 6 * 8 + 7 * 64 = 0b1_1111_0101
  expect([0, 1, 2].map((index) => codeAt(Uint8Array.from([0b11110101, 0b00000001]), 0, index, 3))).toEqual([5, 6, 7])
})

test('planes of any width come back', () => {
  const matrix = fc.integer({ min: 1, max: 40 }).chain((width) =>
    fc.array(fc.array(fc.constantFrom('0', '1'), { minLength: width, maxLength: width }), {
      minLength: 1,
      maxLength: 5,
    }),
  )
  fc.assert(
    fc.property(matrix, (rows) => {
      const bytes = plane(...rows.map((row) => row.join('')))
      const stride = rowBytes(rows[0]!.length)
      expect(bytes.length).toBe(rows.length * stride)
      expect(rows.map((row, i) => row.map((_, j) => `${bitAt(bytes, i * stride, j)}`))).toEqual(rows)
    }),
  )
})

test('codes of 1 to 8 bits come back', () => {
  const matrix = fc
    .record({ bits: fc.integer({ min: 1, max: 8 }), width: fc.integer({ min: 1, max: 30 }) })
    .chain((size) => {
      const code = fc.integer({ min: 0, max: 2 ** size.bits - 1 })
      const row = fc.array(code, { minLength: size.width, maxLength: size.width })
      return fc.tuple(fc.constant(size), fc.array(row, { minLength: 1, maxLength: 4 }))
    })
  fc.assert(
    fc.property(matrix, ([{ bits, width }, rows]) => {
      const bytes = codes(bits, ...rows)
      const stride = rowBytes(width * bits)
      expect(rows.map((row, i) => row.map((_, j) => codeAt(bytes, i * stride, j, bits)))).toEqual(rows)
    }),
  )
})
