import { expect, test } from 'vitest'
import type { TokenLosses } from '../../../electron/contract/token-losses.ts'
import * as tokens from './losses.ts'

const answer = (changes: Partial<TokenLosses>) =>
  ({
    positions: 6,
    window: 3,
    unpredicted: 1,
    from: 0,
    tokens: Uint32Array.of(1, 2, 3),
    pieces: ['a', ' b', 'c'],
    losses: Float32Array.of(Number.NaN, 2, 1),
    other_losses: Float32Array.of(Number.NaN, 0.5, 1.5),
    kld: Float32Array.of(Number.NaN, 0.1, 0.2),
    same_top: Uint8Array.of(2, 1, 0),
    ...changes,
  }) as TokenLosses

test('answers come in pieces, and beside several models', () => {
  let known = tokens.withAnswer(tokens.fresh(answer({})), answer({}), 'original')
  expect([known.loaded, known.pieces]).toEqual([3, ['a', ' b', 'c', '', '', '']])
  expect([0, 1, 2, 4].map((k) => tokens.differenceAt(known, 'original', k))).toEqual([
    Number.NaN,
    1.5,
    -0.5,
    Number.NaN,
  ])
  known = tokens.withAnswer(known, answer({ from: 3 }), 'original')
  const other = { other_losses: Float32Array.of(Number.NaN, 1, 1), kld: null, same_top: null }
  known = tokens.withAnswer(known, answer(other), 7)
  expect([known.loaded, tokens.differenceAt(known, 'original', 4), tokens.differenceAt(known, 7, 1)]).toEqual([
    6, 1.5, 1,
  ])
  expect(tokens.differenceAt(known, 7, 4)).toBeNaN()
  expect([known.kld?.[5], known.sameTop]).toEqual([Math.fround(0.2), Uint8Array.of(2, 1, 0, 2, 1, 0)])
  expect(tokens.differencesOf(known, 'original')).toEqual([1.5, -0.5, 1.5, -0.5])
})

test('rows end with their windows', () => {
  expect(tokens.rowsOf({ positions: 10, window: 5 }, 3)).toEqual([
    { from: 0, end: 3 },
    { from: 3, end: 5 },
    { from: 5, end: 8 },
    { from: 8, end: 10 },
  ])
  expect(tokens.rowsOf({ positions: 300_000, window: 2048 })).toHaveLength(2344)
})

test('the scale leaves one in fifty out; the histogram holds all', () => {
  const differences = [...Array.from({ length: 99 }, (_, i) => (i - 49) / 100), 9]
  expect(tokens.scaleOf(differences)).toBe(0.5)
  expect(tokens.scaleOf([])).toBe(1)
  const bins = tokens.histogramOf(differences, 0.5, 4)
  expect(bins.map(({ from }) => from)).toEqual([-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75])
  expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(100)
  expect(bins.at(-1)!.count).toBe(1)
})

test('how strong a colour is, and what cannot be seen', () => {
  expect([0, 0.5, -1, 9, Number.NaN].map((one) => tokens.strength(one, 1))).toEqual([0, 0.5, 1, 1, 0])
  expect(['\n', ' a', ''].map(tokens.visible)).toEqual(['⏎', '␣a', '∅'])
})
