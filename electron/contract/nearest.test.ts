import fc from 'fast-check'
import { expect, test } from 'vitest'
import { didYouMean, editDistance, nearest } from './nearest.ts'

test('counts edits, a swap of neighbours as one', () => {
  expect(editDistance('group', 'grop')).toBe(1)
  expect(editDistance('group', 'gruop')).toBe(1)
  expect(editDistance('', 'abc')).toBe(3)
  expect(editDistance('damping', 'damping')).toBe(0)
})

test('an edit distance is symmetric and no longer than the longer word', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      const d = editDistance(a, b)
      expect(d).toBe(editDistance(b, a))
      expect(d).toBeLessThanOrEqual(Math.max(a.length, b.length))
      expect(d === 0).toBe(a === b)
    }),
  )
})

test('names what was meant, and nothing where nothing is near', () => {
  expect(nearest('block_size', ['bits', 'blocksize', 'group'])).toBe('blocksize')
  expect(nearest('Scale-Type', ['scale_type'])).toBe('scale_type')
  expect(nearest('frobnicate', ['bits', 'blocksize', 'group'])).toBeNull()
  expect(didYouMean('gptx', ['gptq', 'rtn'])).toBe('; did you mean gptq?')
  expect(didYouMean('zzzzzz', ['gptq', 'rtn'])).toBe('')
})
