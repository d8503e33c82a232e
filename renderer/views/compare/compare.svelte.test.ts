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
    compare: { ...standardSettings.compare, hidden: ['seconds'], sort: { column: 'linearBits', descending: true } },
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

test('mean output errors come with the run', () => {
  runs.list = runs.list.map((one) => (one.id === 2 ? { ...one, output_error: 0.25 } : one))
  expect(compare.rows.map(column('outputError').value)).toEqual([null, 0.25, null])
})

test('the line of the filter is kept, asks for other statuses, and leaves archived runs out', () => {
  vi.useFakeTimers()
  compare.typed = 'status:running'
  expect(shown()).toEqual([4])
  vi.runAllTimers()
  vi.useRealTimers()
  expect(saved.at(-1)?.compare?.filter).toBe('status:running')
  runs.list = runs.list.map((one) => (one.id === 2 ? { ...one, archived_at: 5 } : one))
  compare.typed = ''
  expect([shown(), compare.found.archived]).toEqual([[3, 1], 1])
  compare.typed = 'archived:any'
  expect(shown()).toEqual([3, 2, 1])
})

test('the baseline has its place above the lines; groups are closed and opened', () => {
  compare.pin(2)
  const lines = () => compare.lines.map((line) => (line.kind === 'run' ? line.id : line.title))
  expect([lines(), shown()]).toEqual([
    [3, 1],
    [3, 2, 1],
  ])
  compare.groupBy('status')
  expect(lines()).toEqual(['finished', 3, 1])
  compare.toggleGroup('finished')
  expect(lines()).toEqual(['finished'])
  compare.groupBy(null)
  expect(lines()).toEqual([3, 1])
})

test('Shift chooses all from the row before to this one', () => {
  compare.choose([3], true)
  compare.chooseTo(1)
  expect([...compare.chosen]).toEqual([3, 2, 1])
  compare.choose([3, 2, 1], false)
  compare.rest(2)
  compare.chooseTo(1)
  expect([...compare.chosen]).toEqual([2, 1])
})

test('columns are moved among those that are shown, and pulled wider', () => {
  const ids = () => compare.shown.map(({ id }) => id)
  const before = ids()
  compare.stepColumn('linearBits', -1)
  expect(ids().slice(0, 3)).toEqual(['name', 'linearBits', 'fileBytes'])
  compare.stepColumn('linearBits', -1)
  expect(ids()[1]).toBe('linearBits')
  compare.resize('linearBits', 123.4)
  expect(compare.layout[1]).toMatchObject({ width: 123 })
  compare.resize('linearBits', null)
  compare.stepColumn('linearBits', 1)
  expect(ids()).toEqual(before)
  compare.standardColumns()
  expect(compare.changedColumns).toBe(false)
})

test('twenty runs beside each other, the baseline first', () => {
  compare.pin(1)
  compare.choose([3, 2, 1], true)
  expect(compare.togetherRows.map(({ id }) => id)).toEqual([1, 3, 2])
})
