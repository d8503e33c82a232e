import { expect, test } from 'vitest'
import { thinned } from './run-files.ts'

const line = (seq: number, event: object) => JSON.stringify({ seq, elapsed: seq, ...event })
const progress = (seq: number, phase: string, done: number) =>
  line(seq, { event: 'progress', phase, done, total: 9, unit: 'layers', eta: null })
const started = (seq: number) =>
  line(seq, { event: 'started', command: 'quantize', program: 'p', pid: 1, threads: 1, simd: 's', blas: 'b' })

test('heartbeats go, and of each phase of each worker the last progress stays in its first place', () => {
  const events = thinned(
    [
      started(0),
      progress(1, 'hash', 1),
      line(2, { event: 'heartbeat', resident_bytes: 1 }),
      progress(3, 'quantize', 1),
      progress(4, 'hash', 9),
      'not a line',
      line(5, { event: 'warning', code: 'w', message: 'm' }),
      started(0),
      progress(1, 'hash', 2),
    ].join('\n'),
  )
  expect(events.map((one) => [one.event, 'done' in one ? one.done : null])).toEqual([
    ['started', null],
    ['progress', 9],
    ['progress', 1],
    ['warning', null],
    ['started', null],
    ['progress', 2],
  ])
})
