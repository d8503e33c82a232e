import { expect, test } from 'vitest'
import { stepNow, steps, type Seen } from './tour.ts'

const seen = (changes: Partial<Seen> = {}): Seen => ({ here: { view: 'models' }, runs: [], atWork: false, ...changes })
const finished = [{ status: 'finished' as const }]

test('a step ends when it was done, and none is gone back to', () => {
  expect(stepNow(0, seen())).toBe(0)
  expect(stepNow(0, seen({ here: { view: 'recipe' } }))).toBe(1)
  expect(stepNow(1, seen())).toBe(1)
  expect(stepNow(1, seen({ here: { view: 'runs' }, atWork: true }))).toBe(2)
  expect(stepNow(2, seen({ here: { view: 'runs' }, atWork: true }))).toBe(2)
  expect(stepNow(2, seen({ here: { view: 'runs' }, runs: finished }))).toBe(3)
  expect(stepNow(3, seen({ here: { view: 'layers' }, runs: finished }))).toBe(4)
})

test('the last step stays until it is closed', () => {
  const last = steps.length - 1
  expect(stepNow(last, seen({ here: { view: 'compare' }, runs: finished }))).toBe(last)
})

test('the tour goes once through the window, in its order', () => {
  expect([...new Set(steps.map(({ view }) => view))]).toEqual(['models', 'recipe', 'runs', 'layers', 'lab', 'compare'])
  for (const { text } of steps) expect(text.length).toBeLessThan(170)
})
