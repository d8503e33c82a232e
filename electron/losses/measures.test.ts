import fc from 'fast-check'
import { expect, test } from 'vitest'
import { notPredicted } from '../contract/token-losses.ts'
import { measuresAt, meansOf, positionOf, worstTokens, worstWindows, type Beside } from './measures.ts'
import { piecesOf } from './pieces.ts'

/** Two windows of four tokens, three of them predicted. */
const models: Beside = {
  windows: 2,
  window: 4,
  unpredicted: 1,
  losses: Float32Array.of(1, 2, 3, 4, 5, 6),
  others: Float32Array.of(1, 0, 3, 4, 4, 3.5),
  kld: Float32Array.of(0, 0.5, 0.25, 2, 0, 1),
  sameTop: Uint8Array.of(1, 0, 1, 1, 1, 0),
}

test('what is at positions where nothing is predicted says so', () => {
  const { losses, other_losses, kld, same_top } = measuresAt(models, 2, 6)
  expect([...losses]).toEqual([2, 3, NaN, 4])
  expect([...other_losses]).toEqual([0, 3, NaN, 4])
  expect([...kld!]).toEqual([0.5, 0.25, NaN, 2])
  expect([...same_top!]).toEqual([0, 1, notPredicted, 1])
})

test('means of all, and of windows from the worst on', () => {
  expect(meansOf(models)).toMatchObject({ tokens: 6, loss: 3.5, kld: 0.625, same_top: 4 / 6 })
  expect(worstWindows(models, 'loss', 9).map(({ place, from, loss }) => [place, from, loss])).toEqual([
    [1, 4, 5],
    [0, 0, 2],
  ])
  expect(worstWindows(models, 'difference', 1)).toMatchObject([{ place: 1, tokens: 3 }])
})

test('the worst tokens by each order', () => {
  expect(worstTokens(models, 'difference', 3)).toEqual([5, 1, 4])
  expect(worstTokens(models, 'kld', 2)).toEqual([3, 5])
  expect(worstTokens(models, 'loss', 2)).toEqual([5, 4])
  expect(worstTokens({ ...models, kld: null }, 'kld', 1)).toEqual([5])
  expect([0, 2, 3, 5].map((k) => positionOf(models, k))).toEqual([1, 3, 5, 7])
})

test('the worst tokens are those that sorting finds', () => {
  const values = fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(values, fc.nat(70), (list, most) => {
      const losses = Float32Array.from(list)
      const others = new Float32Array(list.length)
      const sorted = list.map((_, k) => k).sort((a, b) => list[b]! - list[a]! || a - b)
      expect(worstTokens({ ...models, losses, others }, 'difference', most)).toEqual(sorted.slice(0, most))
    }),
  )
})

test('pieces are the same wherever the part begins, and a character comes whole', () => {
  // Bytes as tokens: the text of several is what they decode to.
  const text = 'ab é 日本 z'.repeat(12)
  const tokens = Uint32Array.from(new TextEncoder().encode(text))
  const decode = (ids: readonly number[]) => new TextDecoder().decode(Uint8Array.from(ids))
  const all = piecesOf(decode, tokens, 0, tokens.length)
  expect(all.join('')).toBe(text)
  fc.assert(
    fc.property(fc.nat(tokens.length), fc.nat(40), (from, count) => {
      const end = Math.min(tokens.length, from + count)
      expect(piecesOf(decode, tokens, from, end)).toEqual(all.slice(from, end))
    }),
  )
})
