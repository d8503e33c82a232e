import { expect, test } from 'vitest'
import type { WorkerEvent } from '../contract/worker.ts'
import { advance, barLine, begin, plainLine, ProgressLine, share } from './progress.ts'

const line = { seq: 0, elapsed: 0 }
const plan: WorkerEvent = { ...line, event: 'plan', layers: 4, linears: 28, weights: 1e6, resumed_layers: 1 }
const progress = (done: number, eta: number | null = null): WorkerEvent => ({
  ...line,
  event: 'progress',
  phase: 'calibrate',
  done,
  total: 32,
  unit: 'sequences',
  eta,
})
const saved = (layer: number): WorkerEvent => ({ ...line, event: 'saved', layer, file: 'x', bytes: 1 })

test('what is known is said, and no more', () => {
  let state = begin('quantize')
  expect(plainLine(state)).toBe('quantize')
  state = advance(state, plan)
  expect(plainLine(state)).toBe('quantize, layer 2 of 4')
  state = advance(state, progress(12, 65))
  expect(plainLine(state)).toBe('quantize, layer 2 of 4, calibrate 12/32 sequences, 1:05 left')
  expect(share(state)).toBe(0.25)
  state = advance(state, saved(1))
  expect(share(state)).toBe(0.5)
  // The shard of the rest has the number of layers as its layer.
  expect(share(advance(state, saved(4)))).toBe(1)
  expect(share(advance(begin('evaluate original'), progress(8)))).toBe(0.25)
})

test('a bar is as wide as the terminal at most', () => {
  const state = advance(advance(begin('quantize'), plan), saved(1))
  expect(barLine(state, 200)).toBe('[##########----------] quantize, layer 3 of 4')
  expect(barLine(state, 30)).toHaveLength(29)
})

function sink(terminal: boolean) {
  const written: string[] = []
  let now = 0
  const progressLine = new ProgressLine({
    write: (text) => written.push(text),
    terminal,
    columns: () => 80,
    now: () => now,
  })
  return { written, progressLine, wait: (ms: number) => (now += ms) }
}

test('on a terminal one line is rewritten, ten times a second at most, and taken away', () => {
  const { written, progressLine, wait } = sink(true)
  progressLine.clear()
  expect(written).toEqual([])
  progressLine.take(plan, { name: 'quantize' })
  progressLine.take(progress(1), { name: 'quantize' })
  wait(100)
  progressLine.take(progress(2), { name: 'quantize' })
  progressLine.clear()
  expect(written).toHaveLength(3)
  expect(written.every((text) => text.startsWith('\r\x1b[2K') && !text.includes('\n'))).toBe(true)
})

test('elsewhere plain lines, one per three seconds at most', () => {
  const { written, progressLine, wait } = sink(false)
  for (let i = 0; i < 100; i++) {
    progressLine.take(progress(i), { name: 'evaluate', subject: 'packed', source: 'x' })
    wait(100)
  }
  progressLine.clear()
  expect(written).toHaveLength(4)
  expect(written[1]).toBe('evaluate packed, calibrate 30/32 sequences\n')
})
