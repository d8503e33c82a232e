import { expect, test } from 'vitest'
import type { PicturedLinear } from '../../../electron/contract/pictures.ts'
import { cellIn } from './cell-values.ts'

const linear = { name: 'P', rows: 3, columns: 40, groups: 3, code_bits: 2 } as PicturedLinear
const place = (level: number) => ({ level, row: 0, column: 0 })

test('bits of a tile, with and without presence', () => {
  const words = Uint32Array.of(0b101, 1, 0b010, 2, 0b111, 3)
  const at = (data: Uint32Array<ArrayBuffer>, row: number, column: number) =>
    cellIn(linear, 'sign', place(0), data, row, column)
  expect([at(words, 0, 0), at(words, 0, 1), at(words, 0, 32), at(words, 1, 33), at(words, 2, 33)]).toEqual([
    1, 0, 1, 1, 1,
  ])
  // One row of presence for all rows: only the columns 0 and 2.
  const some = Uint32Array.of(...words, 0b101, 0)
  expect([at(some, 0, 0), at(some, 0, 1), at(some, 1, 2)]).toEqual([1, NaN, 0])
  // A row of presence for each.
  const each = Uint32Array.of(...words, 0b100, 0, 0b010, 0, 0, 0)
  expect([at(each, 0, 0), at(each, 0, 2), at(each, 1, 1), at(each, 2, 0)]).toEqual([NaN, 1, 1, NaN])
})

test('a cell of level 1 is the mean of its numbers that are there', () => {
  const words = Uint32Array.of(0b11, 0, 0b01, 0, 0b10, 0)
  expect(cellIn(linear, 'sign', place(1), words, 0, 0)).toBe(3 / 4)
  expect(cellIn(linear, 'sign', place(1), words, 1, 0)).toBe(1 / 2)
  expect(cellIn(linear, 'sign', place(1), Uint32Array.of(...words, 0, 0), 0, 0)).toBeNaN()
})

test('groups are parts of one, codes are numbers, both of two bits', () => {
  const words = Uint32Array.of(0b10_01_00, 0, 0, 0, 0, 0, 0, 0, 0)
  expect([0, 1, 2].map((column) => cellIn(linear, 'group', place(0), words, 0, column))).toEqual([0, 0.5, 1])
  expect([0, 1, 2].map((column) => cellIn(linear, 'code', place(0), words, 0, column))).toEqual([0, 1, 2])
})

test('values and shares are cells of their own', () => {
  const values = Float32Array.from({ length: 120 }, (_, k) => k)
  expect(cellIn(linear, 'original', place(0), values, 2, 5)).toBe(85)
  expect(cellIn(linear, 'salient', place(0), Uint8Array.of(0, 1, 255), 0, 1)).toBe(0)
  expect(cellIn(linear, 'salient', place(0), Uint8Array.of(0, 1, 255), 0, 2)).toBe(1)
})
