import { expect, test } from 'vitest'
import type { XAxis, YAxis } from './axes.ts'
import { bitsText, everyModel, middle, objection, published, publishedModels, publishedPoints } from './published.ts'

test('every figure is finite, worse than its original, of a known model, and says its source', () => {
  for (const { perplexity, original, nominalBits, linearBits, model, source, method } of published) {
    expect(perplexity).toBeGreaterThan(original)
    expect(publishedModels).toContain(model)
    expect(source).toMatch(/arXiv:\d{4}\.\d{5}/)
    // What is stored is never less than what papers count, but for a bitmap that one of them counts.
    if (linearBits !== null) expect(middle(linearBits)).toBeGreaterThan(middle(nominalBits))
    expect(method).not.toBe('')
  }
  const keys = published.map(({ method, model, source, nominalBits }) => [method, model, source, nominalBits].join())
  expect(new Set(keys).size).toBe(keys.length)
})

test('published points stand only where an axis has an honest place for them', () => {
  const pairs: [XAxis, YAxis, boolean][] = [
    ['nominalBits', 'ratio', true],
    ['linearBits', 'ratio', true],
    ['fileBytes', 'ratio', false],
    ['fileBits', 'ratio', false],
    ['nominalBits', 'perplexity', false],
    ['linearBits', 'kld', false],
    ['nominalBits', 'sameTop', false],
  ]
  for (const [x, y, honest] of pairs) {
    expect(objection(x, y) === null, `${x}, ${y}`).toBe(honest)
    expect(publishedPoints(everyModel, x, y).length > 0).toBe(honest)
  }
})

test('a point is the ratio to its own original, at the bits of its source', () => {
  const points = publishedPoints('LLaMA-7B', 'nominalBits', 'ratio')
  expect(points.find(({ method }) => method === 'ARB-LLM RC')).toMatchObject({
    x: expect.closeTo(1.075) as number,
    y: 14.03 / 5.68,
  })
  expect(points.find(({ method }) => method === 'PB-LLM, 20 % salient')).toMatchObject({ x: 3.4, y: 17.19 / 5.68 })
  // Nobody says how many bits that takes in a file.
  expect(publishedPoints('LLaMA-7B', 'linearBits', 'ratio').map(({ method }) => method)).not.toContain(
    'PB-LLM, 20 % salient',
  )
  expect([bitsText([1.06, 1.09]), bitsText(2)]).toEqual(['1.06 to 1.09', '2.00'])
})
