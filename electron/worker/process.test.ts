import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Note } from '../contract/records.ts'
import type { WorkerEvent } from '../contract/worker.ts'
import { runWorker, type WorkerOptions } from './process.ts'

const program = path.join(import.meta.dirname, 'testing', 'fake-worker.mjs')
const devices = { program, command: 'devices' as const, job: { version: 1 as const, threads: 0 } }
let run = ''
beforeAll(async () => void (run = await mkdtemp(path.join(tmpdir(), 'signum-test-'))))
afterAll(() => rm(run, { recursive: true }))

/** Plays a worker of certain manners to its end. */
async function play(manners: string, options: Partial<WorkerOptions<'devices'>> = {}) {
  vi.stubEnv('SIGNUM_FAKE', manners)
  const events: WorkerEvent[] = []
  const notes: Note[] = []
  const onEvent = (event: WorkerEvent) => void events.push(event)
  const ending = await runWorker({ ...devices, onEvent, onNote: (note) => void notes.push(note), ...options })
  return { ending, events, notes: notes.map(({ code }) => code) }
}
const quantizeJob = (threads = 1) => ({
  version: 1 as const,
  threads,
  model: run,
  run,
  recipe: { method: 'rtn', parameters: {} },
  calibration: null,
  resume: false,
  activation_limit: 0,
})

test('a worker that finishes gives its result, and every event in order', async () => {
  const { ending, events, notes } = await play('')
  expect(ending).toEqual({
    kind: 'finished',
    value: {
      cpu: { threads: 2, simd: 'FAKE', blas: 'fake', memory_bytes: 8e9 },
      devices: [],
      driver: null,
      built: null,
      reason: null,
      libraries: [],
    },
  })
  expect(events.map(({ event }) => event)).toEqual(['started', 'finished'])
  expect(notes).toEqual([])
})

test('the job is in the file that was asked for, or in one that is gone afterwards', async () => {
  const jobFile = path.join(run, 'job.json')
  await play('', { jobFile })
  expect(JSON.parse(await readFile(jobFile, 'utf8'))).toEqual(devices.job)
})

test('a failed event is a failure with the words of the worker', async () => {
  const { ending } = await play('fail')
  expect(ending).toEqual({
    kind: 'failed',
    problem: {
      code: 'factor_failed',
      message: 'The Hessian could not be factored.',
      detail: 'pivot 3\nfake worker: devices',
    },
  })
})

test('a crash is a failure that keeps what the worker said last', async () => {
  const { ending } = await play('crash')
  expect(ending).toMatchObject({
    kind: 'failed',
    problem: { code: 'worker_crashed', message: 'The worker ended by SIGSEGV without saying why.' },
  })
  expect(JSON.stringify(ending)).toContain('about to crash')
})

test('a worker without a sign of life is ended', async () => {
  const { ending } = await play('hang,deaf', { silence: 400 })
  expect(ending).toMatchObject({
    kind: 'failed',
    problem: { code: 'worker_hung', message: 'The worker gave no sign of life for 0.4 s and was ended.' },
  })
})

test('garbage between the lines is a warning each, and the job goes on', async () => {
  const { ending, notes } = await play('garbage')
  expect(ending.kind).toBe('finished')
  expect(notes).toEqual(['line_broken', 'event_unknown', 'line_broken', 'events_missing'])
})

test('a program that is not there is a failure', async () => {
  const { ending } = await play('', { program: path.join(run, 'nothing') })
  expect(ending).toMatchObject({ kind: 'failed', problem: { code: 'worker_missing' } })
})

describe('stop and cancel', () => {
  test('stop ends after the layer in hand', async () => {
    vi.stubEnv('SIGNUM_FAKE', 'slow')
    const stop = new AbortController()
    const ending = await runWorker({
      program,
      command: 'quantize',
      job: quantizeJob(),
      stop: stop.signal,
      onEvent: ({ event }) => {
        if (event === 'plan') stop.abort()
      },
    })
    expect(ending).toEqual({ kind: 'stopped', finishedLayers: 1, layers: 2 })
  })

  test('cancel ends at once', async () => {
    const cancel = new AbortController()
    const begin = performance.now()
    const { ending } = await play('hang', {
      cancel: cancel.signal,
      onEvent: ({ event }) => {
        if (event === 'started') cancel.abort()
      },
    })
    expect(ending).toEqual({ kind: 'cancelled' })
    expect(performance.now() - begin).toBeLessThan(5000)
  })

  test('a worker that does not listen to a cancel is killed', async () => {
    const cancel = new AbortController()
    const { ending } = await play('hang,deaf', {
      cancel: cancel.signal,
      patience: 200,
      onEvent: ({ event }) => {
        if (event === 'started') cancel.abort()
      },
    })
    expect(ending).toEqual({ kind: 'cancelled' })
  })

  test('a job that is cancelled before it begins starts no worker', async () => {
    const jobFile = path.join(run, 'never.json')
    const { ending, events } = await play('', { cancel: AbortSignal.abort(), jobFile })
    expect(ending).toEqual({ kind: 'cancelled' })
    expect(events).toEqual([])
    expect(existsSync(jobFile)).toBe(false)
  })
})
