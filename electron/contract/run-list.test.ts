import { expect, test } from 'vitest'
import type { MetricRow } from './history.ts'
import { headColumns, listedRuns, merged, type RunList } from './run-list.ts'

const head = (id: number, name = `run ${id}`) => headColumns.map((key) => ({ id, name, note: '' })[key as 'id'] ?? null)
const measured = ['papers', 'bundled:x', 'ab', 100, 256, [5, 'packed', 'kld', 0.5, null, 9, 3, 1, 2]]
const list = (ids: readonly [number, string?][], gone: number[] | null): RunList => ({
  revision: 7,
  heads: JSON.stringify(ids.map(([id, name]) => [head(id, name), ['a', 'b']])),
  recipes: ids.map(([id]) => JSON.stringify([{ method: `m${id}` }, { quantize: id }])).join('\n'),
  metrics: ids.map(([id]) => (id === 1 ? '[]' : JSON.stringify([measured]))).join('\n'),
  gone,
})

test('a run of the list has everything that the answer of runs has', () => {
  const [two, one] = listedRuns(list([[2], [1]], null))
  expect(two).toMatchObject({ id: 2, name: 'run 2', tags: ['a', 'b'], note: '', folder: null })
  expect([two!.recipe, two!.seconds]).toEqual([{ method: 'm2' }, { quantize: 2 }])
  const metric: MetricRow = {
    id: 5,
    model_id: null,
    run_id: 2,
    subject: 'packed',
    name: 'kld',
    protocol: 'papers',
    source: 'bundled:x',
    sha256: 'ab',
    text_tokens: 100,
    window: 256,
    value: 0.5,
    standard_error: null,
    tokens: 9,
    windows: 3,
    seconds: 1,
    measured_at: 2,
  }
  expect([two!.metrics, one!.metrics]).toEqual([[metric], []])
})

test('what changed takes its place, what is new comes where its number says, what is gone goes', () => {
  const before = merged([], list([[5], [3], [2], [1]], null))
  const names = merged(before, list([[6], [4, 'back again'], [2, 'renamed']], [5])).map(({ name }) => name)
  expect(names).toEqual(['run 6', 'back again', 'run 3', 'renamed', 'run 1'])
  expect(merged(before, list([], []))).toEqual(before)
  expect(merged(before, list([[9]], null)).map(({ id }) => id)).toEqual([9])
})
