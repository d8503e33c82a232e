import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Later } from './later.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Answers after so many milliseconds. */
const after = <T>(milliseconds: number, answer: T) =>
  new Promise<T>((resolve) => setTimeout(() => resolve(answer), milliseconds))

test('of questions in quick succession only the last one is asked', async () => {
  const later = new Later()
  const asked: number[] = []
  const heard: number[] = []
  const ask = (n: number) => {
    const question = () => {
      asked.push(n)
      return after(10, n)
    }
    later.ask(50, question, (answer) => void heard.push(answer))
  }
  for (const n of [1, 2, 3]) {
    ask(n)
    await vi.advanceTimersByTimeAsync(30)
  }
  await vi.advanceTimersByTimeAsync(100)
  expect([asked, heard]).toEqual([[3], [3]])
})

test('an answer that was overtaken is dropped, however late it comes', async () => {
  const later = new Later()
  const heard: string[] = []
  later.ask(
    0,
    () => after(500, 'slow'),
    (answer) => void heard.push(answer),
  )
  await vi.advanceTimersByTimeAsync(100)
  later.ask(
    0,
    () => after(10, 'quick'),
    (answer) => void heard.push(answer),
  )
  await vi.advanceTimersByTimeAsync(1000)
  expect(heard).toEqual(['quick'])
})

test('what takes longer than a blink says so, and says when it is over', async () => {
  const said: boolean[] = []
  const later = new Later((slow) => void said.push(slow))
  later.ask(
    0,
    () => after(100, null),
    () => undefined,
  )
  await vi.advanceTimersByTimeAsync(400)
  expect(said).not.toContain(true)
  later.ask(
    0,
    () => after(300, null),
    () => undefined,
  )
  await vi.advanceTimersByTimeAsync(250)
  expect(said.at(-1)).toBe(true)
  await vi.advanceTimersByTimeAsync(250)
  expect(said.at(-1)).toBe(false)
})
