import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Recipe } from '../../../electron/contract/recipe.ts'
import type { ask } from '../../client/client.ts'
import { notices } from '../../client/notices.svelte.ts'
import { Sweep, type Subject } from './sweep.svelte.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  vi.advanceTimersByTime(60_000)
  vi.useRealTimers()
})
const rest = () => vi.advanceTimersByTimeAsync(1000)

const subject: Subject = {
  device: 'auto',
  precision: 'f32',
  model: '/m',
  base: {
    recipe: {
      signum_recipe: 1,
      overrides: [],
      embedding_type: 'source',
      head_type: 'source',
      calibration: null,
      evaluations: [],
    },
    given: {},
    calibration: { source: 'bundled:a', sampling: 'sequential', sequences: 8, length: 64, seed: 0, join: 'raw' },
    context: 256,
    chooses: {},
  },
  threads: 2,
  method: 'rtn',
}

type Request = { recipes: Recipe[]; runs: unknown[] }
function opened(answers: Record<string, (request: Request) => unknown> = {}) {
  const asked: [string, Request][] = []
  let next = 10
  const standard: typeof answers = {
    forecasts: ({ recipes }) =>
      recipes.map(({ parameters }) => ({
        problem: null,
        forecast: {
          expected: { file_bytes: 1e6 * Number(parameters['bits']) },
          seconds: { quantize: 2 },
          disk: { needed: 1, free: 9e9 },
        },
      })),
    enqueueAll: ({ runs }) => runs.map(() => next++),
    cancelRuns: () => null,
    tagRuns: () => null,
  }
  const sweep = new Sweep(((name: string, request: Request) => {
    asked.push([name, request])
    const answer = answers[name] ?? standard[name]!
    const value = answer(request)
    return Promise.resolve(
      value === undefined ? { value: null, problem: { code: 'x', message: 'No.' } } : { value, problem: null },
    )
  }) as unknown as typeof ask)
  return { sweep, asked, calls: (name: string) => asked.filter(([one]) => one === name).map(([, request]) => request) }
}

test('begins with the method at hand and one parameter; costs come in batches, for every recipe once', async () => {
  const { sweep, calls } = opened()
  sweep.look(subject)
  expect(sweep.axes).toMatchObject([{ key: 'bits', text: '1..8' }])
  sweep.setAxis(sweep.axes[0]!.id, { text: '2..7' })
  sweep.addAxis('group')
  sweep.setAxis(sweep.axes[1]!.id, { text: '32, 64, 128' })
  await rest()
  expect(sweep.chosen).toHaveLength(18)
  expect(calls('forecasts').map(({ recipes }) => recipes.length)).toEqual([16, 2])
  expect(sweep.totals).toEqual({ seconds: 36, bytes: 3 * (2 + 3 + 4 + 5 + 6 + 7) * 1e6, free: 9e9 })
  sweep.look({ ...subject, base: { ...subject.base } })
  sweep.setAxis(sweep.axes[0]!.id, { text: '2..8' })
  await rest()
  expect(calls('forecasts').map(({ recipes }) => recipes.length)).toEqual([16, 2, 3])
  expect(sweep.open).toBe(0)
  // Something that stays is another: all are worked out anew.
  sweep.look({ ...subject, threads: 1 })
  await rest()
  expect(calls('forecasts')).toHaveLength(5)
})

test('those that are wanted are queued in their order, named by what differs; all can be cancelled', async () => {
  const { sweep, calls } = opened()
  sweep.look(subject)
  sweep.setAxis(sweep.axes[0]!.id, { text: '2, 3, 4' })
  await rest()
  sweep.choose(['rtn bits=3'], false)
  sweep.prefix = 'widths'
  await sweep.queue()
  expect(calls('enqueueAll')).toMatchObject([
    {
      model: '/m',
      threads: 2,
      runs: [{ name: 'widths rtn bits=2' }, { name: 'widths rtn bits=4', recipe: { parameters: { bits: 4 } } }],
    },
  ])
  expect(calls('tagRuns')).toEqual([{ ids: [10, 11], add: ['widths'] }])
  expect(sweep.runs).toEqual([10, 11])
  expect(notices.undo()).toBe(true)
  await rest()
  expect(calls('cancelRuns')).toEqual([{ ids: [10, 11] }])
})

test('what the model does not allow is marked, and is not queued', async () => {
  const { sweep, calls } = opened({
    forecasts: ({ recipes }) =>
      recipes.map(() => ({ problem: { code: 'x', message: 'Matches nothing.' }, forecast: null })),
  })
  sweep.look(subject)
  await rest()
  expect([sweep.chosen, sweep.problemOf(sweep.grid.items[0]!)]).toEqual([[], 'Matches nothing.'])
  await sweep.queue()
  expect(calls('enqueueAll')).toEqual([])
})

test('a queue that refuses is heard', async () => {
  const { sweep } = opened({ enqueueAll: () => undefined })
  sweep.look(subject)
  await rest()
  await sweep.queue()
  expect([sweep.problem?.message, sweep.runs, sweep.queueing]).toEqual(['No.', [], false])
})
