import { describe, expect, it } from 'vitest'
import type { Step } from '../../electron/contract/api.ts'
import type { WorkerEvent } from '../../electron/contract/worker.ts'
import { after, fresh, newer, noted, rebuilt } from './live.ts'

const started = (command: string, pid: number): WorkerEvent => ({
  seq: 0,
  elapsed: 0,
  event: 'started',
  command,
  program: 'signum 0',
  pid,
  threads: 1,
  simd: '',
  blas: '',
  device: null,
})
const plan: WorkerEvent = {
  seq: 1,
  elapsed: 1,
  event: 'plan',
  layers: 2,
  linears: 2,
  weights: 10,
  resumed_layers: 0,
}
const layer = (seq: number, elapsed: number, index: number): WorkerEvent => ({
  seq,
  elapsed,
  event: 'layer',
  name: `l${index}`,
  layer: index,
  method: 'gptq',
  kind: 'q_proj',
  rows: 1,
  columns: 5,
  nominal_bits: 1,
  linear_bits: 1,
  bytes: 1,
  relative_weight_error: 0.1,
  relative_output_error: 0.1,
  salient_columns: null,
  plane1_sparsity: null,
  plane2_sparsity: null,
  seconds: 1,
})
const saved = (seq: number, elapsed: number, index: number): WorkerEvent => ({
  seq,
  elapsed,
  event: 'saved',
  layer: index,
  file: 'f',
  bytes: 1,
})
const progress = (seq: number, elapsed: number, phase: string): WorkerEvent => ({
  seq,
  elapsed,
  event: 'progress',
  phase,
  done: 1,
  total: 2,
  unit: 'windows',
  eta: 5,
})
const quantize: Step = { name: 'quantize' }
const texts = [{ source: 'a' }, { source: 'b' }]

describe('after', () => {
  it('counts durable layers, and the shard of the rest as none', () => {
    const events = [started('quantize', 1), plan, layer(2, 2, 0), saved(3, 2, 0), layer(4, 3, 1), saved(5, 3, 1)]
    const live = [...events, saved(6, 4, 2)].reduce((known, event) => after(known, event, quantize, 0), fresh())
    expect(live.saved).toBe(2)
    expect([...live.layers.keys()]).toEqual(['l0', 'l1'])
    expect(live.log).toHaveLength(7)
  })

  it('does not log finished layers again when a run goes on, but knows them', () => {
    const resumed = { ...plan, resumed_layers: 1 }
    const events = [started('quantize', 1), resumed, layer(2, 2, 0), layer(3, 2, 1)]
    const live = events.reduce((known, event) => after(known, event, quantize, 0), fresh())
    expect(live.saved).toBe(1)
    expect(live.layers.size).toBe(2)
    expect(live.log.map(({ event }) => event?.seq)).toEqual([0, 1, 3])
  })
})

describe('noted', () => {
  it('does not log again what the worker has just said', () => {
    const warning: WorkerEvent = { seq: 1, elapsed: 1, event: 'warning', code: 'w', message: 'Small scales.' }
    const live = after(fresh(), warning, quantize, 0)
    expect(noted(live, { code: 'w', message: 'Small scales.' }).log).toHaveLength(1)
    expect(noted(live, { code: 'w', message: 'The history is full.' }).log).toHaveLength(2)
  })
})

describe('rebuilt', () => {
  it('knows what is measured from the order, and goes on counting seconds over workers', () => {
    const events = [
      started('quantize', 1),
      plan,
      layer(2, 4, 0),
      started('evaluate', 2),
      progress(1, 1, 'evaluate'),
      started('evaluate', 3),
      progress(1, 1, 'evaluate'),
    ]
    const live = rebuilt(events, texts, 1000)
    expect(live.step).toEqual({ name: 'evaluate', subject: 'both', source: 'b' })
    expect(live.clock).toEqual({ before: 5, now: 6 })
  })

  it('begins to measure anew where the layers begin anew', () => {
    const events = [started('quantize', 1), started('evaluate', 2), started('quantize', 3), started('evaluate', 4)]
    expect(rebuilt(events, texts, 0).step).toEqual({ name: 'evaluate', subject: 'both', source: 'a' })
  })

  it('dates the last progress by what was heard after it', () => {
    const events = [started('quantize', 1), progress(1, 2, 'calibrate'), layer(2, 5, 0)]
    expect(rebuilt(events, [], 10_000).progressAt).toBe(7000)
  })
})

describe('newer', () => {
  const heard = (...events: WorkerEvent[]) => events.map((event) => ({ event }))
  const read = [started('quantize', 1), plan, layer(2, 2, 0)]

  it('leaves out what was read already', () => {
    const late = heard(layer(2, 2, 0), saved(3, 2, 0))
    expect(newer(read, late).map(({ event }) => event.seq)).toEqual([3])
  })
  it('takes everything of a worker that was not read of', () => {
    const late = heard(saved(3, 2, 0), started('evaluate', 2), progress(1, 1, 'evaluate'))
    expect(newer(read, late)).toEqual(late)
  })
  it('takes everything where nothing was read', () => {
    const late = heard(started('quantize', 1), plan)
    expect(newer([], late)).toEqual(late)
  })
})

describe('a card', () => {
  const beat = (elapsed: number, bytes: number, peak: number): WorkerEvent => ({
    seq: 2,
    elapsed,
    event: 'heartbeat',
    resident_bytes: 5,
    device_bytes: bytes,
    device_peak_bytes: peak,
  })
  const card = { id: 'cuda:0', name: 'A card', memory_bytes: 100 }

  it('is known by its name, with what is used of it now and the most that was', () => {
    const begun = after(fresh(), { ...started('quantize', 1), device: card } as WorkerEvent, null, 0)
    expect([begun.device, begun.cardBytes, begun.cardPeak]).toEqual([card, null, null])
    const later = after(after(begun, beat(2, 40, 60), null, 0), beat(4, 30, 60), null, 0)
    expect([later.cardBytes, later.cardPeak]).toEqual([30, 60])
    // The next worker has its own memory; the most of all of them stays.
    const next = after(later, { ...started('evaluate', 2), device: card } as WorkerEvent, null, 0)
    expect([next.cardBytes, next.cardPeak]).toEqual([null, 60])
    expect(after(next, beat(2, 10, 10), null, 0).cardPeak).toBe(60)
  })
})
