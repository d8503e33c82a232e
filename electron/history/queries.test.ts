// Every domain's queries on a real file: what goes in comes out, and refers to what it should.
import { rmSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { RunReport } from '../contract/records.ts'
import type { History } from './history.ts'
import {
  historyIn,
  layerReport,
  measurement,
  model,
  newFolder,
  newRun,
  recipe,
  TestClock,
  text,
} from './testing/open.ts'

let data = ''
let history: History
let clock: TestClock
beforeEach(async () => {
  data = newFolder()
  clock = new TestClock()
  history = await historyIn(data, clock)
})
afterEach(() => {
  history.close()
  rmSync(data, { recursive: true })
})

describe('models', () => {
  test('a folder that is seen again is the same model, brought up to date', () => {
    const id = history.models.see(model())
    clock.pass(1000)
    expect(history.models.see(model('/models/tiny', { dtype: 'BF16' }))).toBe(id)
    expect(history.models.list()).toEqual([
      {
        id,
        path: '/models/tiny',
        name: 'tiny',
        architecture: 'LlamaForCausalLM',
        packed: false,
        parameters: 5_000_000_000,
        layers: 2,
        dtype: 'BF16',
        bytes: 10_000_000_000,
        added_at: clock.time - 1000,
        seen_at: clock.time,
      },
    ])
    expect(history.models.description(id)?.linears).toHaveLength(1)
  })

  test('one that is taken off the list leaves its runs', () => {
    const id = history.models.see(model())
    const run = history.runs.add(newRun())
    history.runs.begin(run, id, 2, recipe())
    expect(history.models.remove(id)).toBe(true)
    expect(history.models.remove(id)).toBe(false)
    expect(history.runs.get(run)).toMatchObject({ model_id: null, status: 'running' })
  })
})

describe('runs', () => {
  const report = {
    program: 'signum 0.1.0',
    bits: { nominal: 2, linear: 2.1, file: 4.5 },
    sizes: { original_bytes: 1, file_bytes: 6_000_000_000, linear_bytes: 3, weights: 4, parameters: 5 },
    seconds: { quantize: 1.5 },
    peak_resident_bytes: 7_000_000_000,
  } as unknown as RunReport

  test('live from waiting to finished', () => {
    const id = history.runs.add(newRun('/runs/a'))
    expect(history.runs.get(id)).toMatchObject({ status: 'queued', started_at: null, method: 'rtn', layers: null })
    clock.pass(10)
    const gptq = recipe({ method: 'gptq', parameters: { bits: 3 } })
    history.runs.begin(id, history.models.see(model()), 2, gptq)
    history.runs.advance(id, 1)
    expect(history.runs.get(id)).toMatchObject({
      status: 'running',
      method: 'gptq',
      recipe: gptq,
      layers: 2,
      finished_layers: 1,
      started_at: clock.time,
    })
    clock.pass(10)
    history.runs.finish(id, report)
    expect(history.runs.inFolder('/runs/a')).toMatchObject({
      id,
      status: 'finished',
      finished_at: clock.time,
      created_at: clock.time - 20,
      finished_layers: 2,
      nominal_bits: 2,
      linear_bits: 2.1,
      file_bits: 4.5,
      file_bytes: 6_000_000_000,
      linear_bytes: 3,
      peak_resident_bytes: 7_000_000_000,
      seconds: { quantize: 1.5 },
      program: 'signum 0.1.0',
    })
  })

  test('keep why they failed until they begin again', () => {
    const id = history.runs.add(newRun())
    history.runs.end(id, 'failed', { code: 'disk_full', message: 'No room.', detail: 'more' })
    const why = { error_code: 'disk_full', error_message: 'No room.', error_detail: 'more' }
    expect(history.runs.get(id)).toMatchObject({ status: 'failed', ...why })
    history.runs.queue(id)
    expect(history.runs.get(id)).toMatchObject({ status: 'queued', finished_at: null })
    history.runs.begin(id, history.models.see(model()), 2, recipe())
    expect(history.runs.get(id)).toMatchObject({ error_code: null, error_message: null, error_detail: null })
  })

  test('are listed newest first, have their folder alone, and never get the number of a deleted one', () => {
    const [a, b] = [history.runs.add(newRun('/runs/a')), history.runs.add(newRun('/runs/b'))]
    expect(history.runs.list().map(({ id }) => id)).toEqual([b, a])
    expect(() => history.runs.add(newRun('/runs/a'))).toThrow('UNIQUE')
    history.runs.place(a, null)
    expect(history.runs.remove(b)).toBe(true)
    expect(history.runs.add(newRun('/runs/a'))).toBe(b + 1)
    history.runs.rename(a, 'another name')
    expect(history.runs.get(a)).toMatchObject({ name: 'another name', folder: null })
    expect(history.runs.get(99)).toBeNull()
  })

  test('a method of tomorrow does not hide the others', () => {
    const id = history.runs.add({ ...newRun(), recipe: { ...recipe(), method: 'tomorrow' as 'rtn' } })
    expect(history.runs.get(id)).toMatchObject({ recipe: { method: 'tomorrow' } })
  })
})

test('layer reports: the one told last counts, in the order of the layers', () => {
  const run = history.runs.add(newRun())
  history.layerReports.put(run, layerReport('b', 1))
  history.layerReports.put(run, layerReport('a', 1))
  history.layerReports.put(run, layerReport('z', 0))
  history.layerReports.put(run, { ...layerReport('b', 1), relative_weight_error: null, salient_columns: 12 })
  const reports = history.layerReports.ofRun(run)
  expect(reports.map(({ name }) => name)).toEqual(['z', 'a', 'b'])
  expect(reports[2]).toEqual({ ...layerReport('b', 1), relative_weight_error: null, salient_columns: 12 })
})

test('layer reports: mean output errors weigh every linear by its weights, without those that have none', () => {
  const [one, other, none] = [newRun(), newRun(), newRun()].map((run) => history.runs.add(run)) as [
    number,
    number,
    number,
  ]
  history.layerReports.put(one, { ...layerReport('a', 0), relative_output_error: 0.1 })
  history.layerReports.put(one, { ...layerReport('b', 0), rows: 3 * 256, relative_output_error: 0.5 })
  history.layerReports.put(one, layerReport('c', 0))
  history.layerReports.put(other, { ...layerReport('a', 0), relative_output_error: 0.25 })
  history.layerReports.put(none, layerReport('a', 0))
  for (const run of [one, other, none]) history.runs.advance(run, 1)
  const errors = [one, other, none].map((run) => history.runs.get(run)?.output_error)
  expect(errors).toEqual([expect.closeTo(0.4, 12), 0.25, null])
})

test('metrics: of a run or of a model, the same measured again in its place', () => {
  const run = history.runs.add(newRun())
  const id = history.models.see(model())
  history.metrics.put({ run }, 'original', text, measurement(30))
  history.metrics.put({ run }, 'packed', text, measurement(40))
  history.metrics.put({ run }, 'packed', text, measurement(null))
  history.metrics.put({ run }, 'packed', text, { ...measurement(41), window: 50 })
  history.metrics.put({ model: id }, 'original', text, measurement(31))
  const values = history.metrics.ofRun(run).map(({ subject, window, value }) => [subject, window, value])
  expect(values).toEqual([
    ['original', 25, 30],
    ['packed', 25, null],
    ['packed', 50, 41],
  ])
  expect(history.metrics.ofModel(id)).toMatchObject([{ model_id: id, run_id: null, value: 31, text_tokens: 101 }])
  expect([...history.metrics.ofRuns().keys()]).toEqual([run])
})

test('metrics: what a packed model is beside its original, with the perplexity in the list', () => {
  const run = history.runs.add(newRun())
  const estimate = (value: number) => ({ value, standard_error: 0.5 })
  const spread = { mean: estimate(0.25), minimum: 0, maximum: 3, percentiles: { '50': 0.125, '99.9': 2 } }
  const comparison = {
    kld: spread,
    delta_p: spread,
    delta_p_rms: estimate(0.2),
    same_top: estimate(0.75),
    log_ratio: estimate(0.3),
    correlation: null,
  }
  history.metrics.put({ run }, 'packed', text, measurement(40))
  history.metrics.putComparison(run, text, measurement(40), comparison)
  history.metrics.putComparison(run, text, measurement(40), comparison)
  const found = history.metrics.ofRun(run).map(({ name, value }) => [name, value])
  expect(found).toEqual([
    ['perplexity', 40],
    ['kld', 0.25],
    ['kld_minimum', 0],
    ['kld_median', 0.125],
    ['kld_90', null],
    ['kld_95', null],
    ['kld_99', null],
    ['kld_99.9', 2],
    ['kld_maximum', 3],
    ['same_top', 0.75],
    ['delta_p', 0.25],
    ['delta_p_rms', 0.2],
    ['log_ratio', 0.3],
  ])
  const listed = history.metrics
    .ofRuns()
    .get(run)
    ?.map(({ name, protocol, subject }) => [name, protocol, subject])
  expect(listed).toEqual(['perplexity', 'kld', 'same_top'].map((name) => [name, 'papers', 'packed']))
})

const exported = (run: number) => ({
  run_id: run,
  format: 'gguf',
  type: 'f16',
  path: '/x.gguf',
  bytes: 5e9,
  verified: true,
  files: [{ name: 'x.gguf', bytes: 5e9, sha256: 'ab'.repeat(32) }],
  verification: { tensors: 2, values: 12, exact_values: 11, relative_error: 1e-4, largest_error: 1e-3 },
})

test('exports: the newest at a path, and those of before there were hashes', () => {
  const run = history.runs.add(newRun())
  history.exports.add(exported(run))
  const id = history.exports.add({ ...exported(run), type: 'bf16' })
  expect(history.exports.ofRun(run)).toEqual([{ ...exported(run), type: 'bf16', id, created_at: clock.time }])
  const old = { ...exported(run), path: '/old.gguf', type: null, files: null, verification: null }
  history.exports.add(old)
  expect(history.exports.ofRun(run)).toMatchObject([{ id }, old])
})

test('settings: typed where they are read', () => {
  const theme = z.enum(['dark', 'light'])
  expect(history.settings.get('theme', theme)).toBeNull()
  history.settings.set('theme', 'light')
  history.settings.set('theme', 'dark')
  expect(history.settings.get('theme', theme)).toBe('dark')
  expect(history.settings.get('theme', z.number())).toBeNull()
  history.settings.remove('theme')
  expect(history.settings.get('theme', theme)).toBeNull()
})

test('phases of training and their steps', () => {
  const run = history.runs.add(newRun())
  const phase = history.phases.add({ run_id: run, position: 0, name: 'recovery', steps: 100 })
  history.phases.begin(phase)
  for (const step of [1, 0, 1]) {
    history.phases.putStep(phase, { step, loss: step === 0 ? null : 2.5, learning_rate: 1e-4, seconds: step })
  }
  history.phases.finish(phase)
  expect(history.phases.ofRun(run)).toMatchObject([{ name: 'recovery', steps: 100, finished_at: clock.time }])
  expect(history.phases.steps(phase).map(({ step, loss }) => [step, loss])).toEqual([
    [0, null],
    [1, 2.5],
  ])
})

test('the queue: in order, each run once, moved before another or to the end', () => {
  const ids = [1, 2, 3].map(() => history.runs.add(newRun()))
  const [a, b, c] = ids as [number, number, number]
  for (const id of [...ids, a]) history.queue.append(id, 2)
  const order = () => history.queue.list().map(({ run_id }) => run_id)
  expect(order()).toEqual([a, b, c])
  expect(history.queue.move(c, a)).toBe(true)
  expect(order()).toEqual([c, a, b])
  expect(history.queue.move(c, null)).toBe(true)
  expect(history.queue.move(a, a)).toBe(true)
  expect(order()).toEqual([a, b, c])
  expect([history.queue.move(99, a), history.queue.move(a, 99)]).toEqual([false, false])
  expect([history.queue.remove(b), history.queue.remove(b)]).toEqual([true, false])
  expect(order()).toEqual([a, c])
})

test('with a run goes everything that refers to it', () => {
  const run = history.runs.add(newRun())
  history.layerReports.put(run, layerReport('a'))
  history.metrics.put({ run }, 'packed', text, measurement(1))
  history.exports.add(exported(run))
  const phase = history.phases.add({ run_id: run, position: 0, name: 'p', steps: 1 })
  history.phases.putStep(phase, { step: 0, loss: 1, learning_rate: null, seconds: 0 })
  history.queue.append(run, 0)
  history.leases.acquire(run, 'cpu')
  history.runs.remove(run)
  expect([
    history.layerReports.ofRun(run),
    history.metrics.ofRun(run),
    history.exports.ofRun(run),
    history.phases.ofRun(run),
    history.phases.steps(phase),
    history.queue.list(),
  ]).toEqual([[], [], [], [], [], []])
  expect(history.leases.ofRun(run)).toBeNull()
})

describe('changes', () => {
  test('that fail or are refused leave nothing', () => {
    const failed = history.write(() => {
      history.runs.add(newRun())
      history.layerReports.put(99, layerReport('a'))
    })
    expect(failed).toMatchObject({ ok: false, problem: { code: 'history_unavailable' } })
    const refusal = { ok: false, problem: { code: 'run_busy', message: 'Busy.' } } as const
    const refused = history.decide(() => {
      history.runs.add(newRun())
      return refusal
    })
    expect(refused).toEqual(refusal)
    expect(history.runs.list()).toEqual([])
    expect(history.decide(() => ({ ok: true, value: 7 }))).toEqual({ ok: true, value: 7 })
  })
})
