// The controllers of "Compare" with a window that only pretends.
import { beforeEach, expect, test, vi } from 'vitest'
import { standardSettings, type Settings } from '../../../electron/contract/settings.ts'
import { navigation } from '../../client/navigation.svelte.ts'
import { runs } from '../../client/runs.svelte.ts'
import { settings } from '../../client/settings.svelte.ts'
import { compare } from './compare.svelte.ts'
import { perplexity, run } from './testing/run.ts'

let saved: Partial<Settings>[] = []
const answers: Record<string, (request: unknown) => unknown> = {
  library: () => [],
  outputErrors: () => [{ run: 2, error: 0.25 }],
  changeSettings: (request) => {
    saved.push(request as Partial<Settings>)
    return standardSettings
  },
}
vi.stubGlobal('window', {
  signum: {
    call: (name: string, request: unknown) => Promise.resolve({ kind: 'finished', value: answers[name]?.(request) }),
  },
})

const packed = (value: number) => [perplexity('original', 9), perplexity('packed', value)]

beforeEach(() => {
  settings.now = standardSettings
  saved = []
  compare.typed = ''
  compare.unfinished = compare.onlyDifferences = compare.onlyChosen = false
  compare.choose([...compare.chosen], false)
  navigation.here = { view: 'compare' }
  runs.list = [
    run({ id: 4, name: 'still at work', status: 'running', file_bytes: null, linear_bits: null }),
    run({ id: 3, name: 'three', linear_bits: 1.13, metrics: packed(30) }),
    run({ id: 2, name: 'two', linear_bits: 4.2, metrics: packed(12) }),
    run({ id: 1, name: 'one', linear_bits: 2.25, metrics: packed(20) }),
  ]
})

const shown = () => compare.rows.map(({ id }) => id)
const column = (id: string) => compare.columns.find((one) => one.id === id)!

test('finished runs, newest first; the others when they are switched on', () => {
  expect(shown()).toEqual([3, 2, 1])
  compare.unfinished = true
  expect(shown()).toEqual([4, 3, 2, 1])
  compare.typed = 'work'
  expect(shown()).toEqual([4])
})

test('the order and the columns are kept', () => {
  compare.sortBy(column('linearBits'))
  expect(shown()).toEqual([3, 1, 2])
  compare.sortBy(column('linearBits'))
  expect(shown()).toEqual([2, 1, 3])
  compare.showColumn(column('seconds'), false)
  expect(compare.shown.map(({ id }) => id)).not.toContain('seconds')
  expect(saved.at(-1)).toEqual({
    compare: { shown: [], hidden: ['seconds'], sort: { column: 'linearBits', descending: true } },
  })
})

test('only differences: among the chosen rows where there are two', () => {
  compare.onlyDifferences = true
  const ids = () => compare.shown.map(({ id }) => id)
  expect(ids()).toEqual(['name', 'linearBits', 'packed papers 256 bundled:evaluation-stories', 'date'])
  runs.list = runs.list.map((one) => (one.id === 1 ? { ...one, file_bytes: 3 } : one))
  expect(ids()).toContain('fileBytes')
  compare.choose([2, 3], true)
  expect(ids()).not.toContain('fileBytes')
})

test('deltas are against the baseline, also when the filter hides it, and not of itself', () => {
  compare.pin(1)
  compare.typed = 'two'
  const [two] = compare.rows
  expect(compare.deltaOf(column('linearBits'), two!)).toEqual({ text: '+1.95', verdict: 'worse' })
  expect(compare.deltaOf(column('packed papers 256 bundled:evaluation-stories'), two!)?.text).toBe('\u22128.00')
  expect(compare.deltaOf(column('linearBits'), compare.baseline!)).toBeNull()
  expect(saved).toEqual([{ baseline: 1 }])
  compare.pin(1)
  expect(compare.baseline).toBeNull()
})

test('side by side: two chosen runs, the baseline at the left; or one and the baseline', () => {
  expect(compare.pair).toBeNull()
  compare.choose([1, 3], true)
  expect(compare.pair).toEqual([3, 1])
  compare.pin(1)
  expect(compare.pair).toEqual([1, 3])
  compare.choose([1], false)
  expect(compare.pair).toEqual([1, 3])
  compare.sideBySide()
  expect(navigation.here).toEqual({ view: 'compare', run: 1, other: 3 })
  compare.choose([2, 1], true)
  expect(compare.pair).toBeNull()
})

test('nothing chosen any more shows all rows again', () => {
  compare.choose([2], true)
  compare.onlyChosen = true
  expect(shown()).toEqual([2])
  compare.choose([2], false)
  expect(shown()).toEqual([3, 2, 1])
})

test('mean output errors come from the history', async () => {
  await compare.load()
  expect(compare.rows.map(column('outputError').value)).toEqual([null, 0.25, null])
})
