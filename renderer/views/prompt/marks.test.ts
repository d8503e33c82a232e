import { expect, test } from 'vitest'
import type { TextPiece } from '../../../electron/contract/generation.ts'
import { differenceOf, differenceWords, segments } from './marks.ts'

const words = ['Once', ' upon', ' in', ' a', ' the', ' time', ' hill', ' while', '!']
const pieces = (...texts: string[]): TextPiece[] => texts.map((text) => ({ id: words.indexOf(text), text }))
const first = pieces('Once', ' upon', ' a', ' time')

test('what is the same comes together, what differs token by token', () => {
  expect(segments(pieces('Once', ' upon', ' the', ' hill'), first)).toEqual([
    { text: 'Once upon', differs: false },
    { text: ' the', differs: true },
    { text: ' hill', differs: true },
  ])
  expect(segments(first, null)).toEqual([{ text: 'Once upon a time', differs: false }])
  expect(segments([], first)).toEqual([])
})

test('a token without text of its own is nothing to mark', () => {
  const bytes = [
    { id: 1, text: '' },
    { id: 2, text: 'é' },
  ]
  expect(segments(bytes, first)).toEqual([{ text: 'é', differs: true }])
})

test('says from where on and how many', () => {
  expect(differenceWords(differenceOf(first, pieces('Once', ' in', ' a', ' while', '!')))).toBe(
    '3 of 5 tokens differ, from token 2',
  )
  expect(differenceWords(differenceOf(first, first.slice(0, 2)))).toBe('Same tokens as the first')
  expect(differenceWords(differenceOf(first, []))).toBe('')
})
