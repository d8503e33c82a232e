import { describe, expect, it } from 'vitest'
import type { Heard } from '../../client/live.ts'
import { logLine, phaseWords, textName, whenText } from './words.ts'

const line = { seq: 0, elapsed: 0 }
const plan = { ...line, event: 'plan' as const, layers: 4, linears: 28, weights: 3_145_728, resumed_layers: 2 }
const doing = (phase: string | null, layer = 2) => phaseWords({ step: { name: 'quantize' }, phase, layer, plan })

describe('phaseWords', () => {
  it('names layers as everywhere, and the rest as what it is', () => {
    expect(doing('quantize')).toBe('Quantizing layer 2')
    expect(doing('write')).toBe('Writing layer 2')
    expect(doing('write', 4)).toBe('Writing what is not quantized')
  })
  it('shows a phase that it does not know by its name', () => expect(doing('distil')).toBe('distil'))
  it('says what is measured', () => {
    const step = { name: 'evaluate' as const, subject: 'packed' as const, source: 'bundled:evaluation-tales' }
    expect(phaseWords({ step, phase: null, layer: 0, plan: null })).toBe(
      'Measuring the packed model on evaluation-tales',
    )
  })
})

describe('logLine', () => {
  const said = (event: Exclude<Heard['event'], null>) => logLine({ at: 0, event, step: { name: 'quantize' } }, 4)?.text
  it('counts in words that fit the number', () => {
    expect(said(plan)).toBe('4 layers, 28 linears, 3.15M weights; 2 layers were finished before')
    expect(said({ ...plan, layers: 1, linears: 7, resumed_layers: 0 })).toBe('1 layer, 7 linears, 3.15M weights')
    expect(said({ ...plan, resumed_layers: 1 })).toBe(
      '4 layers, 28 linears, 3.15M weights; 1 layer was finished before',
    )
  })
  it('says what was measured, and on which text', () => {
    const step = { name: 'evaluate' as const, subject: 'both' as const, source: 'bundled:evaluation-tales' }
    const metric = { protocol: 'papers', value: 0.25, standard_error: 0.01, tokens: 9, windows: 1, window: 10 }
    const text = (name: string) =>
      logLine({ at: 0, event: { ...line, event: 'metric', name, ...metric }, step }, 4)?.text
    expect(text('kld')).toBe('Mean KLD of the packed model on evaluation-tales: 0.2500 ± 0.0100')
    expect(text('same_top')).toBe('Same top token of the packed model on evaluation-tales: 25.00 % ± 1.00 %')
    expect(text('later')).toBeUndefined()
  })
  it('tells the shard of the rest from a layer', () => {
    const saved = { ...line, event: 'saved' as const, file: 'f', bytes: 1000 }
    expect(said({ ...saved, layer: 3 })).toBe('Layer 3 is saved: 1.00 kB')
    expect(said({ ...saved, layer: 4 })).toBe('What is not quantized is saved: 1.00 kB')
  })
  it('says a note of the queue as it is', () => {
    const note = { code: 'x', message: 'The history is full.' }
    expect(logLine({ at: 0, event: null, step: null, note }, 4)).toEqual({ text: 'The history is full.', tone: 'warn' })
  })
})

it('names a text without its folder or the mark of those that came along', () => {
  expect(textName('bundled:evaluation-tales')).toBe('evaluation-tales')
  expect(textName('/home/a/wiki.txt')).toBe('wiki.txt')
})

it('says today as a time, this year as a day, and else the year', () => {
  const now = new Date(2026, 10, 22, 18, 0).getTime()
  expect(whenText(new Date(2026, 10, 22, 9, 5).getTime(), now)).toBe('09:05')
  expect(whenText(new Date(2026, 2, 3, 9, 5).getTime(), now)).toBe('3 Mar 09:05')
  expect(whenText(new Date(2025, 2, 3, 9, 5).getTime(), now)).toBe('3 Mar 2025')
})
