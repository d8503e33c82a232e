import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readRange } from './range.ts'

test.each([
  [null, null],
  ['', null],
  ['bytes=', null],
  ['bytes=-', null],
  ['items=0-1', null],
  ['bytes=0-1,4-5', null],
  ['bytes=0-3', { begin: 0, end: 4 }],
  ['bytes=8-', { begin: 8, end: 10 }],
  ['bytes=-3', { begin: 7, end: 10 }],
  ['bytes=-30', { begin: 0, end: 10 }],
  ['bytes=4-400', { begin: 4, end: 10 }],
  ['bytes=10-', 'outside'],
  ['bytes=5-4', 'outside'],
  ['bytes=-0', 'outside'],
] as const)('%s of ten bytes', (header, range) => {
  expect(readRange(header, 10)).toEqual(range)
})

test('a range never leaves the bytes', () => {
  const number = fc.option(fc.nat(1000), { nil: '' })
  fc.assert(
    fc.property(number, number, fc.nat(500), (first, last, size) => {
      const range = readRange(`bytes=${first}-${last}`, size)
      if (range === null || range === 'outside') return
      expect(range.begin).toBeGreaterThanOrEqual(0)
      expect(range.begin).toBeLessThan(range.end)
      expect(range.end).toBeLessThanOrEqual(size)
    }),
  )
})
