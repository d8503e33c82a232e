import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Calibration } from '../../../electron/contract/recipe.ts'
import type { ask } from '../../client/client.ts'
import { SampledWindows } from './sampled.svelte.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())
const rest = () => vi.advanceTimersByTimeAsync(1000)

const calibration: Calibration = {
  source: 'bundled:a',
  sampling: 'sequential',
  sequences: 4,
  length: 8,
  seed: 0,
  join: 'raw',
}

function opened() {
  const asked: { window: number; calibration: Calibration }[] = []
  const windows = new SampledWindows(((_: string, request: (typeof asked)[number]) => {
    asked.push(request)
    const window = Math.min(request.window, request.calibration.sequences - 1)
    return Promise.resolve({ value: { window, text: `window ${window}` }, problem: null })
  }) as unknown as typeof ask)
  return { windows, asked }
}

test('the first window comes by itself; what is said twice is asked once', async () => {
  const { windows, asked } = opened()
  windows.look('/m', calibration, 100)
  windows.look('/m', calibration, 100)
  await rest()
  expect(asked).toHaveLength(1)
  expect(windows.shown?.text).toBe('window 0')
  windows.look('/m', { ...calibration }, 100)
  await rest()
  expect(asked).toHaveLength(1)
})

test('another seed shows the same window of it, another text its first one', async () => {
  const { windows, asked } = opened()
  windows.look('/m', calibration, 100)
  await rest()
  windows.go(3)
  await rest()
  windows.look('/m', { ...calibration, seed: 9, sequences: 2 }, 100)
  await rest()
  expect(asked.at(-1)).toMatchObject({ window: 3, calibration: { seed: 9 } })
  expect(windows.shown?.window).toBe(1)
  windows.look('/m', { ...calibration, source: '/b.txt' }, 100)
  await rest()
  expect(asked.at(-1)).toMatchObject({ window: 0 })
})

test('a long text waits until somebody wants it read, and then goes on by itself', async () => {
  const { windows, asked } = opened()
  windows.look('/m', calibration, 5e6)
  await rest()
  expect([windows.waits, asked]).toEqual([true, []])
  windows.read()
  await rest()
  windows.look('/m', { ...calibration, seed: 1 }, 5e6)
  await rest()
  expect([windows.waits, asked.length]).toEqual([false, 2])
})
