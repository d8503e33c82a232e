import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Notices } from './notices.svelte.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('a notice stands for its seconds, then what it could undo is gone for good', () => {
  const notices = new Notices()
  const [undo, gone] = [vi.fn(), vi.fn()]
  notices.say('Deleted one', { undo, gone, seconds: 5 })
  vi.advanceTimersByTime(4999)
  expect(notices.list.map(({ text }) => text)).toEqual(['Deleted one'])
  vi.advanceTimersByTime(1)
  expect(notices.list).toEqual([])
  expect(gone).toHaveBeenCalledOnce()
  expect(notices.undo()).toBe(false)
  expect(undo).not.toHaveBeenCalled()
})

test('undone is the newest that can be, once, and it is not gone', () => {
  const notices = new Notices()
  const [first, second, gone] = [vi.fn(), vi.fn(), vi.fn()]
  notices.say('first', { undo: first })
  notices.say('second', { undo: second, gone })
  notices.say('copied')
  expect(notices.undo()).toBe(true)
  expect(second).toHaveBeenCalledOnce()
  expect(notices.undo()).toBe(true)
  expect(first).toHaveBeenCalledOnce()
  expect(notices.undo()).toBe(false)
  vi.advanceTimersByTime(60_000)
  expect(gone).not.toHaveBeenCalled()
})

test('of many, only those without a way back make room', () => {
  const notices = new Notices()
  notices.say('lost', { undo: vi.fn() })
  for (const text of ['a', 'b', 'c', 'd']) notices.say(text)
  expect(notices.list.map(({ text }) => text)).toEqual(['lost', 'c', 'd'])
})

test('dismissed by hand is gone at once, and only once', () => {
  const notices = new Notices()
  const gone = vi.fn()
  notices.say('lost', { undo: vi.fn(), gone })
  notices.dismiss(notices.list[0]!.id)
  vi.advanceTimersByTime(60_000)
  expect(gone).toHaveBeenCalledOnce()
})
