import fc from 'fast-check'
import { expect, test } from 'vitest'
import { roundRange, scatterOf, wantsLog } from './scatter.ts'
import { perplexity, row } from '../testing/run.ts'
import { textKey } from '../row.ts'

const text = textKey(perplexity('packed', 1))
const wanted = { x: 'fileBytes', y: 'perplexity', text } as const
const point = (id: number, bytes: number | null, value: number | null, sha256 = 'aa', model = '/models/tiny') => {
  const metrics = [perplexity('original', 9, { sha256 }), perplexity('packed', value, { sha256 })]
  const made = row({ id, file_bytes: bytes, metrics })
  return { ...made, modelKey: model, model: 'tiny', originalBytes: 7e6 }
}

test('runs of one original and the same tokens are one group, with its front and its original', () => {
  const { groups, missing } = scatterOf([point(1, 3e6, 12), point(2, 2e6, 20), point(3, 3e6, 15)], wanted)
  expect(missing).toBe(0)
  expect(groups).toHaveLength(1)
  expect(groups[0]!.points.map(({ row: { id }, x, y, error }) => [id, x, y, error])).toEqual([
    [1, 3e6, 12, 1.5],
    [2, 2e6, 20, 1.5],
    [3, 3e6, 15, 1.5],
  ])
  expect(groups[0]!.front.map(({ row: { id } }) => id)).toEqual([2, 1])
  expect(groups[0]!.original).toEqual({ bytes: 7e6, y: 9 })
})

test('other tokens or another original are another group', () => {
  const { groups } = scatterOf([point(1, 3e6, 12), point(2, 2e6, 20, 'bb'), point(3, 1e6, 15, 'aa', '/other')], wanted)
  expect(groups.map(({ model, points }) => [model, points.map(({ row: { id } }) => id)])).toEqual([
    ['tiny', [1]],
    ['tiny (2)', [2]],
    ['tiny (3)', [3]],
  ])
})

test('what cannot be drawn is counted; runs without a size are not finished', () => {
  const { groups, missing } = scatterOf([point(1, 3e6, null), point(2, null, 20), row({ id: 3 })], wanted)
  expect([groups, missing]).toEqual([[], 2])
})

test('other axes: bits across; ratio, divergence and share of the same top token up', () => {
  const metrics = [
    perplexity('original', 10),
    perplexity('packed', 12),
    perplexity('packed', 0.25, { name: 'kld', standard_error: 0.01 }),
    perplexity('packed', 0.8, { name: 'same_top' }),
  ]
  const worse = [
    perplexity('original', 10),
    perplexity('packed', 15),
    perplexity('packed', 0.5, { name: 'kld' }),
    perplexity('packed', 0.7, { name: 'same_top' }),
  ]
  const rows = [row({ id: 1, metrics, nominal_bits: 2 }), row({ id: 2, metrics: worse, nominal_bits: 3 })]
  const up = (y: 'ratio' | 'kld' | 'sameTop') => scatterOf(rows, { x: 'nominalBits', y, text }).groups[0]!
  expect(up('ratio').points.map(({ x, y, error }) => [x, y, error])).toEqual([
    [2, 1.2, null],
    [3, 1.5, null],
  ])
  expect(up('kld').points[0]).toMatchObject({ y: 0.25, error: 0.01 })
  expect(up('kld').original?.y).toBe(0)
  // More is better: the second is larger and worse.
  expect(up('sameTop').front.map(({ row: { id } }) => id)).toEqual([1])
  expect(up('sameTop').original?.y).toBe(1)
})

test('axes that span much are logarithmic', () => {
  expect([wantsLog([10, 100]), wantsLog([10, 300]), wantsLog([0, 300]), wantsLog([])]).toEqual([
    false,
    true,
    false,
    false,
  ])
})

test('an axis ends at round numbers beyond all values', () => {
  expect(roundRange([30.75, 75.9])).toEqual({ low: 20, high: 80, step: 10 })
  expect(roundRange([1.56e6, 2.8e6])).toEqual({ low: 1e6, high: 3e6, step: 5e5 })
  expect(roundRange([])).toEqual({ low: 0, high: 1, step: 1 })
  const value = fc.integer({ min: 1, max: 1e9 }).map((hundredths) => hundredths / 100)
  fc.assert(
    fc.property(fc.array(value, { minLength: 1 }), (values) => {
      const { low, high, step } = roundRange(values)
      expect(low).toBeLessThanOrEqual(Math.min(...values))
      expect(high).toBeGreaterThanOrEqual(Math.max(...values))
      expect(high).toBeGreaterThan(low)
      expect((high - low) / step).toBeLessThan(11)
    }),
  )
})
