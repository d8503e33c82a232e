import fc from 'fast-check'
import { expect, test } from 'vitest'
import { scrollTo, visibleRows } from './virtual-rows.ts'

test('rows in sight and some beyond', () => {
  expect(visibleRows(1000, 30, 0, 300, 2)).toEqual({ first: 0, end: 12 })
  expect(visibleRows(1000, 30, 3015, 300, 2)).toEqual({ first: 98, end: 113 })
  expect(visibleRows(5, 30, 0, 300, 2)).toEqual({ first: 0, end: 5 })
  expect(visibleRows(0, 30, 0, 300)).toEqual({ first: 0, end: 0 })
})

test('every row in sight is drawn, and never many more', () => {
  const nat = (max: number) => fc.integer({ min: 0, max })
  fc.assert(
    fc.property(nat(5000), nat(200_000), nat(2000), (count, scrolled, height) => {
      const { first, end } = visibleRows(count, 34, scrolled, height)
      expect(first).toBeGreaterThanOrEqual(0)
      expect(end).toBeLessThanOrEqual(count)
      expect(end - first).toBeLessThanOrEqual(height / 34 + 18)
      for (let row = 0; row < count; row += 7) {
        const seen = (row + 1) * 34 > scrolled && row * 34 < scrolled + height
        if (seen) expect(row >= first && row < end).toBe(true)
      }
    }),
  )
})

test('scrolling moves no more than needed', () => {
  expect(scrollTo(10, 30, 0, 300)).toBe(30)
  expect(scrollTo(10, 30, 200, 300)).toBe(200)
  expect(scrollTo(2, 30, 200, 300)).toBe(60)
})
