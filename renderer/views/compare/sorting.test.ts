import fc from 'fast-check'
import { expect, test } from 'vitest'
import { columnsOf, type Column } from './column.ts'
import { compareValues, filterRows, nextSort, sortRows } from './sorting.ts'
import { row } from './testing/run.ts'

const columns = columnsOf([row()], [])
const column = (id: string): Column => columns.find((one) => one.id === id)!

test('numbers by size, words as people count, nothing last in either direction', () => {
  const rows = [
    row({ id: 1, name: 'run 10', linear_bits: 2 }),
    row({ id: 2, name: 'Run 9', linear_bits: null }),
    row({ id: 3, name: 'a', linear_bits: 1.13 }),
    row({ id: 4, name: 'b', linear_bits: 11 }),
  ]
  const ids = (id: string, descending = false) => sortRows(rows, column(id), descending).map((one) => one.id)
  expect(ids('linearBits')).toEqual([3, 1, 4, 2])
  expect(ids('linearBits', true)).toEqual([4, 1, 3, 2])
  expect(ids('name')).toEqual([3, 4, 2, 1])
  expect(ids('name', true)).toEqual([1, 2, 4, 3])
  expect(sortRows(rows, undefined, false).map((one) => one.id)).toEqual([4, 3, 2, 1])
})

test('sorting keeps every row, is ordered, and does not depend on the order before', () => {
  const bits = fc.option(fc.integer({ min: 1, max: 4 }), { nil: null })
  fc.assert(
    fc.property(fc.array(bits), fc.boolean(), (all, descending) => {
      const rows = all.map((linear_bits, index) => row({ id: index + 1, linear_bits }))
      const sorted = sortRows(rows, column('linearBits'), descending)
      expect(new Set(sorted)).toEqual(new Set(rows))
      expect(sortRows(rows.toReversed(), column('linearBits'), descending)).toEqual(sorted)
      sorted.slice(1).forEach(({ linearBits: after, id }, index) => {
        const { linearBits: before, id: earlier } = sorted[index]!
        if (before === null) expect(after).toBeNull()
        else if (after === before) expect(id).toBeLessThan(earlier)
        else if (after !== null) expect(after > before).toBe(!descending)
      })
    }),
  )
})

test('values of different kinds have an order too', () => {
  const value = fc.oneof(fc.integer(), fc.boolean(), fc.string())
  fc.assert(
    fc.property(value, value, value, (a, b, c) => {
      expect(Math.sign(compareValues(a, b))).toBe(-Math.sign(compareValues(b, a)) + 0)
      if (compareValues(a, b) <= 0 && compareValues(b, c) <= 0) expect(compareValues(a, c)).toBeLessThanOrEqual(0)
    }),
  )
})

test('choosing a head twice turns the order', () => {
  const by = (id: string, descending: boolean) => ({ column: id, descending })
  expect(nextSort(by('name', false), column('linearBits'))).toEqual(by('linearBits', false))
  expect(nextSort(by('linearBits', false), column('linearBits'))).toEqual(by('linearBits', true))
  expect(nextSort(by('name', true), column('date'))).toEqual(by('date', true))
})

test('every typed word must be found', () => {
  const rows = [row({ id: 1, name: 'First try' }), row({ id: 2, name: 'second', method: 'signum-rc' })]
  const found = (typed: string) => filterRows(rows, typed).map((one) => one.id)
  expect(found('')).toEqual([1, 2])
  expect(found(' TINY ')).toEqual([1, 2])
  expect(found('gptq fir')).toEqual([1])
  expect(found('signum')).toEqual([2])
  expect(found('second gptq')).toEqual([])
})
