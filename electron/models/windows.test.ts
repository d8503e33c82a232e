import { expect, test } from 'vitest'
import { windowStarts } from './windows.ts'

const starts = (sampling: Parameters<typeof windowStarts>[0]['sampling'], sequences: number, length: number) =>
  windowStarts({ sampling, sequences, length, seed: 0 }, sampling === 'random' ? 8192 : 300)

// The same figures as in native/tests/calibrate_test.cc.
test('windows: one after another, or where CPython’s randint puts them', () => {
  expect(starts('sequential', 3, 100)).toEqual([0, 100, 200])
  expect(starts('documents', 3, 100)).toEqual([0, 100, 200])
  expect(starts('random', 8, 256)).toEqual([6917, 3155, 6209, 7292, 3445, 331, 2121, 7909])
  expect(windowStarts({ sampling: 'random', sequences: 2, length: 100, seed: 0 }, 101)).toEqual([0, 0])
})
