import { expect, test } from 'vitest'
import { sharedScale } from './shared-scale.ts'

test('two pictures share the wider scale, as far as it is known', () => {
  expect(sharedScale([{ weight: 1, error: 0.5 }, null])).toEqual({ weight: 1, error: 0.5 })
  expect(sharedScale([])).toBe(null)
  expect(
    sharedScale([
      { weight: 1, error: 0.5 },
      { weight: 3, error: null },
    ]),
  ).toEqual({ weight: 3, error: 0.5 })
  expect(sharedScale([{ weight: 1, error: null }])).toEqual({ weight: 1, error: null })
})
