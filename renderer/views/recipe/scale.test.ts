import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { scaleOf, ticksOf, tickText, toShare, toValue, valueText, type Scale } from './scale.ts'

const point = (linear: number) => ({
  parameters: {},
  nominal: 1,
  linear,
  file: linear,
  linear_bytes: linear * 1e8,
  file_bytes: linear * 1e8 + 5e7,
  most_linear: linear,
  most_file_bytes: linear * 1e8 + 5e7,
})
const curves = [{ points: [point(2), point(8.75)] }, { points: [point(1.2), point(2.4)] }]
const anyScale = fc
  .record({
    least: fc.double({ min: 0.1, max: 1e10, noNaN: true }),
    times: fc.double({ min: 1.2, max: 50, noNaN: true }),
  })
  .map(({ least, times }): Scale => ({ by: 'file_bytes', least, most: least * times }))

describe('the scale', () => {
  test('reaches from the smallest point of all methods to the largest', () => {
    expect(scaleOf(curves, 'linear')).toEqual({ by: 'linear', least: 1.2, most: 8.75 })
    expect(scaleOf(curves, 'file_bytes')).toEqual({ by: 'file_bytes', least: 1.7e8, most: 9.25e8 })
    expect(scaleOf([], 'linear')).toBeNull()
    expect(scaleOf([{ points: [point(2)] }], 'linear')).toBeNull()
  })

  test('there and back is the same value, and order is kept', () => {
    fc.assert(
      fc.property(anyScale, fc.double({ min: 0, max: 1, noNaN: true }), (scale, share) => {
        const value = toValue(share, scale)
        expect(toShare(value, scale)).toBeCloseTo(share, 9)
        expect(toShare(value * 1.01, scale)).toBeGreaterThanOrEqual(toShare(value, scale))
      }),
    )
    expect(toShare(0.5, { by: 'linear', least: 1, most: 8 })).toBe(0)
    expect(toShare(100, { by: 'linear', least: 1, most: 8 })).toBe(1)
  })

  test('ticks lie on the scale, rise, and have room for their labels', () => {
    fc.assert(
      fc.property(anyScale, (scale) => {
        const shares = ticksOf(scale).map((tick) => toShare(tick, scale))
        for (const [i, share] of shares.entries()) {
          expect(share).toBeGreaterThanOrEqual(0)
          expect(share).toBeLessThanOrEqual(1)
          if (i > 0) expect(share - shares[i - 1]!).toBeGreaterThan(0.089)
        }
      }),
    )
    expect(ticksOf({ by: 'linear', least: 1.08, most: 8.75 })).toEqual([1.2, 1.5, 2, 2.5, 4, 5, 8])
  })
})

test('words', () => {
  const bytes: Scale = { by: 'file_bytes', least: 1, most: 2 }
  expect([2e6, 2.5e6, 25e6, 200e6, 1.2e9].map((value) => tickText(value, bytes))).toEqual([
    '2 MB',
    '2.5 MB',
    '25 MB',
    '200 MB',
    '1.2 GB',
  ])
  expect([1.2, 2].map((value) => tickText(value, { ...bytes, by: 'linear' }))).toEqual(['1.2', '2'])
  expect([valueText(2.384, 'linear'), valueText(2.04e6, 'file_bytes')]).toEqual([
    '2.38 linear bits',
    '2.04 MB of files',
  ])
})
