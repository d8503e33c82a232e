import { beforeEach, expect, test, vi } from 'vitest'
import type { RunSummary } from '../../electron/contract/history.ts'
import { notices } from './notices.svelte.ts'
import { archiveRuns, deleteRuns, setNote, setTags, tagRuns, tagsOf } from './run-actions.ts'
import { runs } from './runs.svelte.ts'

let asked: [string, unknown][] = []
let refused: { id: number; problem: { code: string; message: string } }[] = []
let broken = false
/** What the list is while the answer is waited for. */
let meanwhile: number[] = []
vi.stubGlobal('window', {
  signum: {
    call: (name: string, request: { ids?: number[] }) => {
      if (name === 'queue') return Promise.resolve({ kind: 'finished', value: { running: [], waiting: [], waits: [] } })
      if (name === 'runList')
        return Promise.resolve({
          kind: 'finished',
          value: { revision: 1, heads: '[]', recipes: '', metrics: '', gone: [] },
        })
      asked.push([name, request])
      meanwhile = runs.list.map(({ id }) => id)
      if (broken) return Promise.resolve({ kind: 'failed', problem: { code: 'x', message: 'The disk is full.' } })
      const deleted = request.ids?.filter((id) => !refused.some((one) => one.id === id))
      const value = name === 'deleteRuns' ? { deleted, refused, until: 0 } : { restored: request.ids, refused: [] }
      return Promise.resolve({ kind: 'finished', value })
    },
  },
})
const run = (id: number, changes: object = {}) =>
  ({ id, name: `run ${id}`, tags: ['a'], note: '', archived_at: null, ...changes }) as unknown as RunSummary
const ids = () => runs.list.map(({ id }) => id)
const said = () => notices.list.map(({ text }) => text)

beforeEach(() => {
  asked = []
  refused = []
  broken = false
  for (const { id } of notices.list) notices.dismiss(id)
  runs.list = [run(3), run(2), run(1, { archived_at: 5, note: 'old' })]
})

test('deleted runs are out of sight before the answer comes, and Undo asks for them back', async () => {
  expect(await deleteRuns([2])).toEqual([2])
  expect([meanwhile, ids(), said()]).toEqual([[3, 1], [3, 1], ['Deleted run 2.']])
  notices.undo()
  await vi.waitFor(() => expect(asked.at(-1)).toEqual(['undoDelete', { ids: [2] }]))
})

test('what was refused is back in its place, with the reason', async () => {
  refused = [{ id: 2, problem: { code: 'run_busy', message: 'Run 2 is at work.' } }]
  expect(await deleteRuns([3, 2])).toEqual([3])
  expect([ids(), said()]).toEqual([
    [2, 1],
    ['Run 2 is at work.', 'Deleted 1 of 2 runs.'],
  ])
  broken = true
  expect(await deleteRuns([2, 1])).toEqual([])
  expect(ids()).toEqual([2, 1])
})

test('archived is what was not, and only that is taken back', async () => {
  await archiveRuns([3, 2, 1], true)
  expect([asked, said()]).toEqual([[['archiveRuns', { ids: [3, 2], archived: true }]], ['Archived 2 runs.']])
  notices.undo()
  await vi.waitFor(() => expect(asked.at(-1)).toEqual(['archiveRuns', { ids: [3, 2], archived: false }]))
})

test('tags and notes: only changes are asked for; what is lost can be undone', async () => {
  await setTags(3, ['a'])
  await setNote(1, 'old')
  expect(asked).toEqual([])
  await setTags(3, ['b'])
  expect(asked.at(-1)).toEqual(['tagRuns', { ids: [3], add: ['b'], remove: ['a'] }])
  expect(said()).toEqual(['Took a off run 3.'])
  await tagRuns([3, 2], 'a', true)
  expect(asked).toHaveLength(1)
  await setNote(1, 'new')
  notices.undo()
  await vi.waitFor(() => expect(asked.at(-1)).toEqual(['noteRun', { id: 1, note: 'old' }]))
  expect(tagsOf(' two, words  two"x ')).toEqual(['two', 'words', 'x'])
})
