import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cutter } from './cuts.ts'

test('cuts where no merge can reach across', () => {
  const cut = cutter(['t h', 'th e', ['▁', 'the'], '▁ ▁'])
  expect(cut('▁the▁the')).toEqual(['▁the', '▁the'])
  expect(cut('▁▁hex')).toEqual(['▁▁', 'he', 'x'])
  expect(cut('')).toEqual([])
})

test('nothing is lost and surrogate pairs stay whole', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ minLength: 1, maxLength: 2 })), fc.string({ unit: 'grapheme' }), (words, text) => {
      const pieces = cutter(words.map((word) => [word, word]))(text)
      expect(pieces.join('')).toBe(text)
      expect(pieces.some((piece) => /\p{Cs}/u.test(piece))).toBe(false)
    }),
  )
})

/** Byte-pair encoding as its definition says: the pair of lowest rank first, the leftmost of equals. */
function encode(merges: readonly (readonly [string, string])[], word: string): string[] {
  const parts = Array.from(word)
  for (;;) {
    let best = Infinity
    let at = -1
    for (let i = 1; i < parts.length; i++) {
      const rank = merges.findIndex(([left, right]) => left === parts[i - 1] && right === parts[i])
      if (rank >= 0 && rank < best) [best, at] = [rank, i - 1]
    }
    if (at < 0) return parts
    parts.splice(at, 2, parts[at]! + parts[at + 1]!)
  }
}

test('any merges, any word: the pieces encode to what the whole encodes to', () => {
  const letter = fc.constantFrom('a', 'b', 'c', 'd')
  const part = fc.array(letter, { minLength: 1, maxLength: 3 }).map((letters) => letters.join(''))
  const merges = fc.array(fc.tuple(part, part), { maxLength: 8 })
  const word = fc.array(letter, { maxLength: 24 }).map((letters) => letters.join(''))
  fc.assert(
    fc.property(merges, word, (rules, whole) => {
      expect(cutter(rules)(whole).flatMap((piece) => encode(rules, piece))).toEqual(encode(rules, whole))
    }),
    { numRuns: 1000 },
  )
})
