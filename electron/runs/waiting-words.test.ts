import { expect, test } from 'vitest'
import { waitingWords, type Holder } from './waiting-words.ts'

const holders = new Map<string, Holder>([
  ['cpu', { run: 3 }],
  ['cuda:0', { run: 7, pid: 4711 }],
  ['cuda:1', { run: 9, waits: true }],
])

test('why a run waits', () => {
  expect(waitingWords(['cpu'], holders, true)).toBe('It waits for the processor, where run 3 is at work.')
  expect(waitingWords(['cuda:0'], holders, true)).toBe(
    'It fits only on cuda:0, where run 7 is at work in another program (process 4711).',
  )
  expect(waitingWords(['cuda:1'], holders, false)).toBe('It waits for cuda:1, for which run 9 waits before it.')
  expect(waitingWords(['cuda:1', 'cuda:0'], holders, true)).toBe(
    'It begins on the first to be free of cuda:1, for which run 9 waits before it and cuda:0, where run 7 is at work in another program (process 4711).',
  )
})
