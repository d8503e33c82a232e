import { readFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as small from '../models/testing/small-tokenizers.ts'
import { openTokenizer, tokenizer } from '../models/tokenizer.ts'
import { detokenizer } from './detokenize.ts'

const families = {
  llama: small.llamaTokenizer,
  'llama 3': small.llama3Tokenizer,
  qwen: small.qwenTokenizer,
  gemma: small.gemmaTokenizer,
  'phi-3': small.phi3Tokenizer,
  opt: small.optTokenizer,
  smol: small.smolTokenizer,
}

describe.each(Object.entries(families))('%s', (_, make) => {
  const { file, settings } = make()
  const { encode, decode } = tokenizer(file as never, settings)
  const idsOf = (text: string) => {
    const ids = encode(text)
    if (!ids.ok) throw new Error(ids.problem.message)
    return [...ids.value]
  }

  test('token by token the same as all at once, and only whole characters', () => {
    const part = fc.constantFrom(' ', '  ', '\n', 'é', '\u{1f600}', '日本', 'Once upon', ' little', ' a time.', '"')
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 60 }), fc.nat(), (parts, place) => {
        const ids = idsOf(parts.join(''))
        const split = place % ids.length
        const pieceOf = detokenizer(decode, ids.slice(0, split))
        const pieces = ids.slice(split).map(pieceOf)
        expect(pieces.map(({ id }) => id)).toEqual(ids.slice(split))
        const text = pieces.map((piece) => piece.text).join('')
        // A prompt that ends within a character has nothing of it, and the answer begins with the rest.
        const before = decode(ids.slice(0, split))
        const whole = before.endsWith('\ufffd') ? null : decode(ids)
        if (whole !== null) expect(before + text).toBe(whole)
        if (whole !== null) for (const piece of pieces) expect(piece.text).not.toContain('\ufffd')
      }),
      { numRuns: 200 },
    )
  })
})

test('the space in front of a word stays where a text goes on, and goes where it begins', async () => {
  const folder = path.resolve(import.meta.dirname, '..', '..', 'resources', 'models', 'signum-stories-4m')
  const opened = await openTokenizer(folder)
  if (!opened.ok) throw new Error(opened.problem.message)
  const { encode, decode } = opened.value
  const ids = encode('Once upon a time')
  const [bos, ...words] = ids.ok ? [...ids.value] : []
  const told = (prompt: number[], rest: number[]) => rest.map(detokenizer(decode, prompt)).map(({ text }) => text)
  expect(told([bos!], words).join('')).toBe('Once upon a time')
  expect(told([bos!, words[0]!], words.slice(1))[0]).toMatch(/^ /)
  const vocabulary = JSON.parse(readFileSync(path.join(folder, 'tokenizer.json'), 'utf8')) as {
    model: { vocab: Record<string, number> }
  }
  const bytes = ['<0xC3>', '<0xA9>', '<0xFF>', '<0xC3>'].map((name) => vocabulary.model.vocab[name]!)
  // é comes with its second byte; what can be no character is marked when the next byte shows it.
  expect(told([bos!], bytes)).toEqual(['', 'é', '', '\ufffd'])
})

test('ids that have no token are no text', () => {
  const { file, settings, size } = small.llamaTokenizer()
  const { decode } = tokenizer(file as never, settings)
  expect([size, size + 5].map(detokenizer(decode, [1])).map(({ text }) => text)).toEqual(['', ''])
})
