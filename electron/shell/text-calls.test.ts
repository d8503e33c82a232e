import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Attention, Ending } from '../contract/api.ts'
import type { TextAnswer, TextNews } from '../contract/generation.ts'
import type { WindowEvent } from '../contract/window.ts'
import { textCalls } from './text-calls.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const request = {
  id: 3,
  model: '/m',
  prompt: 'a',
  max_tokens: 9,
  stop: [],
  temperature: 0,
  top_k: 0,
  top_p: 1,
  seed: 0,
  context: 0,
  threads: 0,
  device: 'cpu',
}
const piece = (id: number): TextNews => ({ kind: 'pieces', pieces: [{ id, text: String(id) }] })

/** A text in hand: what it says, and how it ends. */
function begun() {
  const told: WindowEvent[] = []
  let attention: Attention = {}
  let end: (ending: Ending<TextAnswer>) => void = () => undefined
  const generate = (_request: unknown, heard: Attention = {}) => {
    attention = heard
    return new Promise<Ending<TextAnswer>>((resolve) => (end = resolve))
  }
  const calls = textCalls({ generate }, (event) => void told.push(event))
  const answer = calls.startText(request)
  const ids = () =>
    told.map((event) =>
      event.kind === 'text' && event.news.kind === 'pieces' ? event.news.pieces.map(({ id }) => id) : event.kind,
    )
  return {
    calls,
    answer,
    ids,
    say: (news: TextNews) => attention.onText?.(news),
    signal: attention.cancel!,
    end: (ending: Ending<TextAnswer>) => end(ending),
  }
}

test('the first token is told at once, those that come quickly after it together', async () => {
  const { say, ids, end, answer } = begun()
  say({ kind: 'begun', tokenizer: 'x', prompt_tokens: 2 })
  for (const id of [1, 2, 3]) say(piece(id))
  expect(ids()).toEqual(['text', [1]])
  vi.advanceTimersByTime(30)
  expect(ids()).toEqual(['text', [1], [2, 3]])
  say(piece(4))
  end({ kind: 'cancelled' })
  await answer
  expect(ids()).toEqual(['text', [1], [2, 3], [4]])
  expect(vi.getTimerCount()).toBe(0)
})

test('a text is stopped by its id', async () => {
  const { calls, signal } = begun()
  await calls.stopText({ id: 4 })
  expect(signal.aborted).toBe(false)
  await calls.stopText({ id: 3 })
  expect(signal.aborted).toBe(true)
})
