import { describe, expect, it } from 'vitest'
import { fresh, type Live } from '../../client/live.ts'
import { estimateOf, nextEnd, standing } from './standing.ts'

const line = { seq: 0, elapsed: 0 }
const plan = { ...line, event: 'plan' as const, layers: 4, linears: 28, weights: 1, resumed_layers: 0 }
const progress = (elapsed: number, eta: number | null, done = 1, total = 2) => ({
  ...line,
  elapsed,
  event: 'progress' as const,
  phase: 'calibrate',
  done,
  total,
  unit: 'sequences',
  eta,
})
const quantizing = (changes: Partial<Live>): Live => ({ ...fresh(), step: { name: 'quantize' }, plan, ...changes })
const measuring = (changes: Partial<Live>): Live => ({
  ...fresh(),
  step: { name: 'evaluate', subject: 'both', source: 'a' },
  ...changes,
})
const metric = {
  step: null,
  metric: { name: 'perplexity', protocol: '', value: 1, standard_error: null, tokens: 1, windows: 1, window: 1 },
}
const estimate = { quantize: 90, evaluate: 10 }

it('takes what is not measuring as quantizing', () => {
  const basis = { runs: 0, same_model: false, unknown: false }
  const seconds = { calibrate: 1, quantize: 2, evaluate: 4 }
  expect(estimateOf({ seconds, basis })).toEqual({ quantize: 3, evaluate: 4 })
  expect(estimateOf({ seconds: {}, basis: { ...basis, unknown: true } })).toBeNull()
})

describe('while layers are quantized', () => {
  it("goes by the worker's time, and adds that of measuring", () => {
    const { share, left } = standing(quantizing({ progress: progress(30, 60), saved: 1 }), 1, estimate, 0)
    expect(left).toBe(70)
    expect(share).toBeCloseTo(0.9 / 3)
  })

  it('counts on between what is heard', () => {
    const live = quantizing({ progress: progress(30, 60), progressAt: 1000, saved: 1 })
    expect(standing(live, 1, estimate, 6000).left).toBe(65)
  })

  it('is at the forecast before the worker knows, and never past the layer in hand', () => {
    const live = (elapsed: number) => quantizing({ progress: progress(elapsed, null) })
    expect(standing(live(10), 1, estimate, 0).left).toBe(90)
    const late = standing(live(100), 0, { quantize: 90, evaluate: 0 }, 0)
    expect(late.left).toBe(300)
    expect(late.share).toBeCloseTo(0.25)
  })

  it('begins where a resumed run begins', () => {
    const resumed = quantizing({ plan: { ...plan, resumed_layers: 2 }, saved: 2, progress: progress(10, 30) })
    expect(standing(resumed, 0, estimate, 0)).toEqual({ share: 0.5 + 0.5 / 4, left: 30 })
  })

  it('does not say how long where measuring is not foreseen', () => {
    expect(standing(quantizing({ progress: progress(30, 60), saved: 1 }), 1, null, 0).left).toBeNull()
    expect(standing(quantizing({ progress: progress(30, 60), saved: 1 }), 0, null, 0).left).toBe(60)
  })
})

describe('while texts are measured', () => {
  it('counts texts, whatever else is measured on them', () => {
    const kld = { ...metric, metric: { ...metric.metric, name: 'kld' } }
    const live = measuring({ progress: progress(2, null, 5, 10), metrics: [metric, kld] })
    const { share, left } = standing(live, 4, estimate, 0)
    expect(share).toBeCloseTo(0.9 + (0.1 * 1.5) / 4)
    expect(left).toBe(2 + 2 * 4)
  })

  it('is done when all are', () => {
    const live = measuring({ progress: progress(2, 0, 10, 10), metrics: [metric] })
    expect(standing(live, 1, estimate, 0)).toEqual({ share: 1, left: 0 })
  })
})

describe('nextEnd', () => {
  it('takes small corrections in steps and large ones at once', () => {
    expect(nextEnd(null, 50_000, 0)).toBe(50_000)
    expect(nextEnd(50_000, 54_000, 0)).toBe(51_000)
    expect(nextEnd(50_000, 90_000, 0)).toBe(90_000)
  })
})
