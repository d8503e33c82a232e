import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareValues, nextSorts } from './sorting.ts'

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
  const by = (column: string, descending = false) => ({ column, descending })
  const bits = { id: 'linearBits' }
  expect(nextSorts([by('name')], bits, false)).toEqual([by('linearBits')])
  expect(nextSorts([by('linearBits'), by('name')], bits, false)).toEqual([by('linearBits', true)])
  expect(nextSorts([by('name')], { id: 'date' }, false)).toEqual([by('date', true)])
})

test('with Shift it is asked next, turned round, and then no more', () => {
  const by = (column: string, descending = false) => ({ column, descending })
  const bits = { id: 'linearBits' }
  let now = [by('method')]
  const steps = [1, 2, 3].map(() => (now = nextSorts(now, bits, true)))
  expect(steps).toEqual([[by('method'), by('linearBits')], [by('method'), by('linearBits', true)], [by('method')]])
  expect(nextSorts([by('linearBits', true)], bits, true)).toEqual([by('linearBits')])
})
