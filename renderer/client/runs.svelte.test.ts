import { expect, test, vi } from 'vitest'
import { headColumns, type RunList } from '../../electron/contract/run-list.ts'
import type { WindowEvent } from '../../electron/contract/window.ts'
import { runs } from './runs.svelte.ts'

let asked: unknown[] = []
let answer: Partial<RunList> = {}
let tell: (event: WindowEvent) => void = () => undefined
vi.stubGlobal('window', {
  signum: {
    call: (name: string, request: unknown) => {
      if (name === 'runList') asked.push(request)
      const list = { revision: 1, heads: '[]', recipes: '', metrics: '', gone: [], ...answer }
      const value = name === 'queue' ? { running: [], waiting: [], waits: [] } : list
      return Promise.resolve({ kind: 'finished', value })
    },
    on: (listener: typeof tell) => {
      tell = listener
      return () => undefined
    },
  },
})

const listOf = (revision: number, gone: number[] | null, ...ids: number[]): Partial<RunList> => ({
  revision,
  gone,
  heads: JSON.stringify(ids.map((id) => [headColumns.map((key) => (key === 'id' ? id : key)), []])),
  recipes: ids.map(() => '[{},null]').join('\n'),
  metrics: ids.map(() => '[]').join('\n'),
})
const ids = () => runs.list.map(({ id }) => id)

test('all runs are asked for once, then those that changed; the others stay the objects that they were', async () => {
  answer = listOf(5, null, 3, 2, 1)
  await runs.open()
  expect([asked, ids(), runs.loaded]).toEqual([[{ since: null }], [3, 2, 1], true])
  const before = runs.list
  answer = listOf(8, [1], 4, 2)
  tell({ kind: 'history' })
  await vi.waitFor(() => expect(ids()).toEqual([4, 3, 2]))
  expect(asked.at(-1)).toEqual({ since: 5 })
  expect([runs.get(3) === before[0], runs.get(2) === before[1], runs.get(1)]).toEqual([true, false, null])
  answer = listOf(8, [])
  const same = runs.list
  await runs.refresh()
  expect([asked.at(-1), runs.list === same]).toEqual([{ since: 8 }, true])
})

test('refreshes while one is under way become one more, and wait for it', async () => {
  asked = []
  await Promise.all([runs.refresh(), runs.refresh(), runs.refresh()])
  expect(asked).toHaveLength(2)
})
