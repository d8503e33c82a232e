import { expect, it } from 'vitest'
import { heightOf, mostOf, outline, placeOf } from './bars.ts'

it('is as high as the square root of its share of the fullest bin', () => {
  expect([0, 1, 4, 16].map((count) => heightOf(count, 16))).toEqual([0, 0.25, 0.5, 1])
  expect(heightOf(0, 0)).toBe(0)
  expect(mostOf({ low: 0, high: 1, counts: [1, 7] }, null, { low: 0, high: 1, counts: [3] })).toBe(7)
})

it('steps from bin to bin along the bottom', () => {
  expect(outline({ counts: [4, 0] }, 16, 10, 8)).toBe('M0 8L0 4L5 4L5 8L10 8L10 8Z')
  expect(outline({ counts: [] }, 16, 10, 8)).toBe('')
})

it('places levels, and leaves out what lies outside', () => {
  expect([-1, 0, 0.5, 1, 1.5].map((value) => placeOf(value, { low: 0, high: 1 }))).toEqual([null, 0, 0.5, 1, null])
  expect(placeOf(0, { low: 0, high: 0 })).toBeNull()
})
