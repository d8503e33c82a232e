import fc from 'fast-check'
import { expect, test } from 'vitest'
import { columnsOf } from '../column.ts'
import { perplexity, run } from '../testing/run.ts'
import { rowOf, textKey } from '../row.ts'
import { textsOf } from '../text.ts'
import { parallelAxes, parallelTable, placeOn, sharesOf, withinIntervals } from './parallel.ts'

const text = textKey(perplexity('packed', 1))
const made = (id: number, bits: number, value: number | null, method = 'gptq') => {
  const { recipe } = run()
  const metrics = value === null ? [] : [perplexity('packed', value)]
  const parameters = { ...recipe.parameters, bits, order: bits > 2 ? 'hessian' : 'natural' }
  return rowOf(
    run({ id, method, linear_bits: bits + 0.25, metrics, recipe: { ...recipe, parameters } }),
    () => undefined,
  )
}
const rows = [made(1, 2, 50), made(2, 3, 20, 'rtn'), made(3, 4, 12), made(4, 4, null)]
const axes = parallelAxes(columnsOf(rows, textsOf(rows)), rows, text)
const ids = axes.map(({ column }) => column.id)
const axis = (id: string) => axes.find(({ column }) => column.id === id)!

test('the method, the parameters that differ, then what came out', () => {
  expect(ids[0]).toBe('method')
  expect(ids).toContain('parameter bits')
  expect(ids).toContain('parameter order')
  expect(ids).not.toContain('parameter group')
  expect(ids.indexOf('parameter bits')).toBeLessThan(ids.indexOf('linearBits'))
  expect(ids.indexOf('fileBytes')).toBeLessThan(ids.indexOf(`packed ${text}`))
  // Nobody measured that.
  expect(ids).not.toContain(`kld ${text}`)
})

test('words are places from below, numbers themselves', () => {
  expect(axis('method').categories).toEqual(['gptq', 'rtn'])
  expect(rows.map((row) => placeOn(axis('method'), row))).toEqual([0, 1, 0, 0])
  expect(rows.map((row) => placeOn(axis(`packed ${text}`), row))).toEqual([50, 20, 12, null])
})

test('what is marked on several axes must all hold, either way round; a row without a value is out', () => {
  const within = (...marks: [string, [number, number][]][]) =>
    withinIntervals(rows, axes, new Map(marks)).map(({ id }) => id)
  expect(within()).toEqual([1, 2, 3, 4])
  expect(within(['linearBits', []])).toEqual([1, 2, 3, 4])
  expect(within(['linearBits', [[5, 3]]])).toEqual([2, 3, 4])
  expect(within(['linearBits', [[3, 5]]], [`packed ${text}`, [[0, 30]]])).toEqual([2, 3])
  expect(within(['method', [[1, 1]]])).toEqual([2])
  expect(
    within([
      'linearBits',
      [
        [2, 2.5],
        [4, 4.5],
      ],
    ]),
  ).toEqual([1, 3, 4])
})

test('shares go from the least to the most', () => {
  expect(sharesOf(axis('linearBits'), rows)).toEqual([0, 0.5, 1, 1])
  expect(sharesOf(axis(`packed ${text}`), rows)[3]).toBeNull()
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1 }), (bits) => {
      const some = bits.map((value, at) => made(at + 1, value, null))
      const shares = sharesOf(axis('linearBits'), some)
      for (const share of shares) {
        expect(share).toBeGreaterThanOrEqual(0)
        expect(share).toBeLessThanOrEqual(1)
      }
    }),
  )
})

test('the table has a column an axis, and a row a run', () => {
  const { columns, rows: lines } = parallelTable(axes, rows)
  expect(columns.slice(0, 3)).toEqual(['run', 'name', 'Method'])
  expect(lines.map((line) => line.slice(0, 3))).toEqual(rows.map(({ id, name, method }) => [id, name, method]))
})
