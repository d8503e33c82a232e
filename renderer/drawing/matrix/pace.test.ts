import { expect, test } from 'vitest'
import { Pace } from './pace.ts'

function run(pace: Pace, gap: number, frames: number, from: number): number {
  let now = from
  for (let k = 0; k < frames; k++) pace.moved((now += gap))
  return now
}

test('where frames come in time, nothing is drawn more coarsely', () => {
  const pace = new Pace()
  run(pace, 16.7, 200, 1000)
  expect(pace.fineness).toBe(0)
})

test('late frames make it coarser step by step, and no coarser than that', () => {
  const pace = new Pace()
  const now = run(pace, 33, 8, 1000)
  expect(pace.fineness).toBe(1)
  run(pace, 33, 60, now)
  expect(pace.fineness).toBe(2)
  pace.reset()
  expect(pace.fineness).toBe(0)
})

test('one late frame in a while, and the pause before a movement, count for nothing', () => {
  const pace = new Pace()
  let now = 1000
  for (let k = 0; k < 20; k++) {
    now = run(pace, 16, 8, now)
    now = run(pace, 80, 1, now)
    now += 5000
  }
  expect(pace.fineness).toBe(0)
})
