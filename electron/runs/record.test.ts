// What a run leaves in the history, and what it does when the history, or the device, is not to be had.
import { cpSync, mkdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Attention, Request } from '../contract/api.ts'
import { failure } from '../contract/errors.ts'
import type { History } from '../history/history.ts'
import { heartbeatTime, leaseTime } from '../history/leases.ts'
import { historyIn, newFolder, newRun, TestClock } from '../history/testing/open.ts'
import { evaluate } from './evaluate.ts'
import { quantize } from './quantize.ts'
import { contextOf, model, recipe, root } from './testing/surroundings.ts'

let data = ''
let out = ''
let history: History
let clock: TestClock
const others: History[] = []
beforeEach(async () => {
  data = newFolder()
  out = path.join(data, 'run')
  clock = new TestClock()
  history = await historyIn(data, clock)
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllEnvs()
  for (const one of [history, ...others.splice(0)]) one.close()
  rmSync(data, { recursive: true })
})
async function another(): Promise<History> {
  const opened = await historyIn(data, clock)
  others.push(opened)
  return opened
}

const manners = (words: string) => vi.stubEnv('SIGNUM_FAKE', words)
const play = (changes: Partial<Request<'quantize'>> = {}, attention: Attention = {}) =>
  quantize(contextOf(history), { model, recipe: recipe(), out, ...changes }, attention)
const only = () => {
  const [run, ...rest] = history.runs.list()
  expect(rest).toEqual([])
  return run!
}
const onEvent =
  (name: string, act: () => void): NonNullable<Attention['onEvent']> =>
  ({ event }) =>
    void (event === name && act())

describe('a run', () => {
  test('that finishes leaves its numbers, layers and measurements', async () => {
    const seen: string[] = []
    const asked = recipe({ evaluations: [{ source: 'bundled:evaluation-stories' }] })
    const ending = await play(
      { recipe: asked, name: 'mine' },
      { onEvent: ({ event }, { name }) => void (event === 'saved' && seen.push(`${name} ${only().status}`)) },
    )
    expect(ending.kind).toBe('finished')
    expect(seen).toEqual(['quantize running', 'quantize running'])
    const run = only()
    expect(run).toMatchObject({
      name: 'mine',
      folder: out,
      status: 'finished',
      method: 'rtn',
      recipe: { model, evaluations: [{ window: 256 }] },
      layers: 2,
      finished_layers: 2,
      nominal_bits: 2,
      linear_bits: 2.1,
      file_bits: 4.5,
      file_bytes: 500_000,
      started_at: clock.time,
      finished_at: clock.time,
      program: 'signum 0.1.0',
    })
    expect(history.models.get(run.model_id!)).toMatchObject({ path: model, layers: 2 })
    expect(history.layerReports.ofRun(run.id)).toHaveLength(8)
    const measured = history.metrics.ofRun(run.id).map(({ name, subject, value }) => [name, subject, value])
    expect(measured.slice(0, 3)).toEqual([
      ['perplexity', 'original', 30],
      ['perplexity', 'packed', 40],
      ['kld', 'packed', 0.25],
    ])
    expect(new Set(history.metrics.ofRun(run.id).map(({ windows }) => windows))).toEqual(new Set([13]))
    expect(history.leases.ofRun(run.id)).toBeNull()
  })

  test('has the layers that are durable while it is at work, under a lease', async () => {
    let seen: unknown[] = []
    await play(
      {},
      {
        onEvent: (event) => {
          if (event.event !== 'saved' || event.layer !== 0) return
          const run = only()
          const reports = history.layerReports.ofRun(run.id).length
          seen = [run.finished_layers, reports, history.leases.onDevice('cpu')?.run_id === run.id]
        },
      },
    )
    expect(seen).toEqual([1, 4, true])
  })

  test.each([
    ['fail', {}, { status: 'failed', error_code: 'factor_failed', finished_layers: 0 }],
    ['crash-late', {}, { status: 'failed', error_code: 'worker_crashed', finished_layers: 1 }],
  ])('that ends by %s says so, and goes on in the same row', async (words, changes, row) => {
    manners(words)
    await play(changes)
    expect(only()).toMatchObject({ ...row, finished_at: clock.time })
    expect(history.leases.ofRun(only().id)).toBeNull()
    manners('')
    expect((await play({ resume: true, model: null, recipe: null })).kind).toBe('finished')
    expect(only()).toMatchObject({ status: 'finished', error_code: null, finished_layers: 2 })
    expect(history.layerReports.ofRun(only().id)).toHaveLength(8)
  })

  test('that is stopped or cancelled says so', async () => {
    manners('slow')
    const stop = new AbortController()
    await play({}, { stop: stop.signal, onEvent: onEvent('plan', () => stop.abort()) })
    expect(only()).toMatchObject({ status: 'stopped', finished_layers: 1, layers: 2 })
    const cancel = new AbortController()
    await play({ resume: true }, { cancel: cancel.signal, onEvent: onEvent('plan', () => cancel.abort()) })
    expect(only()).toMatchObject({ status: 'cancelled', finished_at: clock.time })
  })

  test('that is refused before any work is not recorded', async () => {
    expect(await play({ model: data })).toMatchObject({ problem: { code: 'not_a_model_folder' } })
    expect(history.runs.list()).toEqual([])
  })

  test('that the history never heard of is recorded when it is resumed', async () => {
    const forgetful = contextOf(history)
    delete forgetful.history
    await quantize(forgetful, { model, recipe: recipe(), out }, {})
    expect(history.runs.list()).toEqual([])
    expect((await play({ resume: true })).kind).toBe('finished')
    expect(only()).toMatchObject({ status: 'finished', folder: out, file_bits: 4.5 })
    expect(history.layerReports.ofRun(only().id)).toHaveLength(8)
    expect(history.leases.ofRun(only().id)).toBeNull()
  })

  test('in a folder that was emptied leaves the earlier one its numbers', async () => {
    await play()
    rmSync(out, { recursive: true })
    mkdirSync(out)
    await play({ recipe: recipe({ parameters: { bits: 3 } }) })
    expect(history.runs.list()).toMatchObject([
      { id: 2, name: 'signum-stories-4m rtn bits=3', folder: out, status: 'finished' },
      { id: 1, name: 'signum-stories-4m rtn', folder: null, status: 'finished', file_bits: 4.5 },
    ])
  })
})

describe('one run on a device', () => {
  test('the second waits for the first, and says so', async () => {
    manners('slow')
    const theirs = await another()
    const order: string[] = []
    const notes: string[] = []
    const first = play({}, { onEvent: onEvent('saved', () => order.push('first')) })
    await vi.waitFor(() => expect(history.leases.onDevice('cpu')).not.toBeNull(), 5000)
    const second = quantize(
      contextOf(theirs),
      { model, recipe: recipe(), out: `${out}-2` },
      { onEvent: onEvent('saved', () => order.push('second')), onNote: ({ code }) => void notes.push(code) },
    )
    expect((await Promise.all([first, second])).map(({ kind }) => kind)).toEqual(['finished', 'finished'])
    expect(order).toEqual(['first', 'first', 'second', 'second'])
    expect(notes).toEqual(['device_busy'])
  })

  test('a wait can be cancelled, and leaves nothing', async () => {
    const theirs = await another()
    const other = theirs.runs.add(newRun())
    theirs.decide(() => theirs.leases.acquire(other, 'cpu'))
    const cancel = new AbortController()
    const ending = await play({}, { cancel: cancel.signal, onNote: () => cancel.abort() })
    expect(ending).toEqual({ kind: 'cancelled' })
    expect(history.runs.list().map(({ id }) => id)).toEqual([other])
  })

  test('a run that is at work elsewhere is refused', async () => {
    manners('crash-late')
    await play()
    const theirs = await another()
    theirs.decide(() => theirs.leases.acquire(only().id, null))
    expect(await play({ resume: true })).toMatchObject({ problem: { code: 'run_busy' } })
    expect(only().status).toBe('failed')
  })
})

describe('a lease that was lost', () => {
  const lose = async (after: (theirs: History, run: number) => void) => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    manners('slow')
    const theirs = await another()
    return play(
      {},
      {
        onEvent: onEvent('plan', () => {
          clock.pass(leaseTime + 1)
          expect(theirs.sweep()).toMatchObject({ value: [only().id] })
          after(theirs, only().id)
          vi.advanceTimersByTime(heartbeatTime)
        }),
      },
    )
  }

  test('is taken up again where nobody else did', async () => {
    expect((await lose(() => undefined)).kind).toBe('finished')
    expect(only().status).toBe('finished')
  })

  test('ends the run where somebody else did, and was interrupted too', async () => {
    const ending = await lose((theirs, run) => {
      clock.pass(1)
      theirs.runs.begin(run, 1, 2, recipe())
      theirs.runs.end(run, 'interrupted')
    })
    expect(ending).toMatchObject({ kind: 'failed', problem: { code: 'run_lost' } })
    expect(only().status).toBe('interrupted')
  })

  test('ends the run where somebody else did', async () => {
    const ending = await lose((theirs, run) => {
      theirs.decide(() => theirs.leases.acquire(run, 'cpu'))
      clock.pass(1)
      theirs.runs.begin(run, 1, 2, recipe())
    })
    expect(ending).toMatchObject({ kind: 'failed', problem: { code: 'run_lost' } })
    expect(only().status).toBe('running')
  })
})

describe('a history that cannot be used', () => {
  test('is one note, and the run goes on', async () => {
    const notes: string[] = []
    const closed = failure('history_unavailable', 'Gone.')
    const context = contextOf(history, { history: () => Promise.resolve(closed) })
    const onNote: Attention['onNote'] = ({ code }) => void notes.push(code)
    expect((await quantize(context, { model, recipe: recipe(), out }, { onNote })).kind).toBe('finished')
    await evaluate(context, { model, source: 'bundled:evaluation-stories', window: null }, { onNote })
    expect(notes).toEqual(['history_unavailable', 'history_unavailable'])
  })

  test('is one note too when it breaks while the run is at work', async () => {
    const broken = await historyIn(data, clock)
    const notes: string[] = []
    const ending = await quantize(
      contextOf(broken),
      { model, recipe: recipe(), out },
      { onEvent: onEvent('plan', () => broken.close()), onNote: ({ code }) => void notes.push(code) },
    )
    expect(ending.kind).toBe('finished')
    expect(notes).toEqual(['history_unavailable'])
  })
})

describe('evaluate', () => {
  const source = path.join(root, 'electron', 'models', 'testdata', 'signum-stories-4m.evaluation.u32')
  test('is kept with the run whose model it measured, or with the model', async () => {
    await play()
    const context = contextOf(history)
    await evaluate(context, { model: out, source, window: 128 }, {})
    await evaluate(context, { model, source, window: null }, {})
    expect(history.metrics.ofRun(only().id)).toMatchObject([{ subject: 'packed', value: 40, window: 128, source }])
    expect(history.metrics.ofModel(only().model_id!)).toMatchObject([{ subject: 'original', value: 30, window: 256 }])
  })

  test('beside the original belongs to the run whole, beside another model only the perplexity does', async () => {
    await play()
    const other = path.join(data, 'other')
    cpSync(model, other, { recursive: true })
    const asked = { model: out, source, window: 128, protocol: 'llama.cpp' } as const
    const beside = await evaluate(contextOf(history), { ...asked, against: other }, {})
    expect(beside).toMatchObject({
      value: {
        perplexity: { value: 40, protocol: 'llama.cpp', tokens: 26 * 63 },
        against: { model: other, perplexity: { value: 30 }, comparison: { same_top: { value: 0.8 } } },
      },
    })
    const names = () => history.metrics.ofRun(only().id).map(({ subject, name }) => `${subject} ${name}`)
    expect(names()).toEqual(['packed perplexity'])
    await evaluate(contextOf(history), { ...asked, against: model }, {})
    expect(names().slice(0, 3)).toEqual(['packed perplexity', 'original perplexity', 'packed kld'])
  })
})
