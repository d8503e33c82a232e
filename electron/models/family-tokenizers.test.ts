// Every form of tokenizer.json that the families ship: byte-level BPE, sentencepiece BPE with byte fallback, added tokens, BOS.
import fc from 'fast-check'
import * as library from '@huggingface/tokenizers'
import { describe, expect, test } from 'vitest'
import * as small from './testing/small-tokenizers.ts'
import { encoder } from './tokenizer.ts'

type Family = {
  make: () => small.TokenizerFiles
  /** In front of every text; null where there is none. */
  begin: string | null
  /** A token outside the merges. */
  added: string
}
const families: Record<string, Family> = {
  'LLaMA 1 and 2, TinyLlama, Mistral': { make: small.llamaTokenizer, begin: '<s>', added: '</s>' },
  'LLaMA 3': { make: small.llama3Tokenizer, begin: '<|begin_of_text|>', added: '<|eot_id|>' },
  'Qwen 2 and 3': { make: small.qwenTokenizer, begin: null, added: '<tool_call>' },
  'Gemma 2 and 3': { make: small.gemmaTokenizer, begin: '<bos>', added: '<start_of_turn>' },
  'Phi-3': { make: small.phi3Tokenizer, begin: null, added: '<|endoftext|>' },
  OPT: { make: small.optTokenizer, begin: '</s>', added: '<pad>' },
  SmolLM2: { make: small.smolTokenizer, begin: null, added: '<|im_start|>' },
}

type Library = new (file: object, settings: object) => { encode: (text: string) => { ids: number[] } }
type File = { model: { vocab: Record<string, number> }; added_tokens: { id: number; content: string }[] }

describe.each(Object.entries(families))('%s', (_, { make, begin, added }) => {
  const { file, settings } = make()
  const encode = encoder(file as never, settings)
  const ids = (text: string) => {
    const found = encode(text)
    if (!found.ok) throw new Error(found.problem.message)
    return [...found.value]
  }
  const { model, added_tokens: tokens } = file as File
  const idOf = (content: string) => tokens.find((one) => one.content === content)!.id

  test('begins a text as the family does, once', () => {
    const first = begin === null ? [] : [idOf(begin)]
    expect(ids('')).toEqual(first)
    const text = 'Once upon a time'
    expect(ids(text).slice(0, first.length)).toEqual(first)
    if (begin !== null) expect(ids(text).filter((id) => id === idOf(begin))).toHaveLength(1)
    expect(ids(text.repeat(100)).length).toBeGreaterThan(100)
  })

  test('takes an added token whole, wherever it stands', () => {
    const id = idOf(added)
    for (const text of [added, `a${added}b`, `some words ${added} and more`, `${added}${added}`]) {
      expect(ids(text).filter((one) => one === id)).toHaveLength(text.split(added).length - 1)
    }
  })

  test('writes what it does not know as bytes', () => {
    const bytes = [...Buffer.from('\u{1f9ff}')]
    const inText = ids('x \u{1f9ff}')
    if ('<0x0A>' in model.vocab) {
      const hex = (byte: number) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`
      expect(inText.slice(-bytes.length)).toEqual(bytes.map((byte) => model.vocab[hex(byte)]))
    } else {
      expect(inText.length).toBeGreaterThan(ids('x ').length)
    }
    expect(inText.every((id) => Number.isInteger(id))).toBe(true)
  })

  test('long words cut or whole: the same ids', () => {
    const whole = new (library.Tokenizer as unknown as Library)(file, settings)
    const part = fc.oneof(
      fc.constantFrom(' ', '  ', '\n\n', '▁', 'é', '\u{1f600}', "n't", 'the', ' little', '123', added, 'aaaaaaaa'),
      fc.string(),
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
        const text = parts.join('').repeat(2)
        expect(ids(text)).toEqual(whole.encode(text).ids)
      }),
      { numRuns: 150 },
    )
  })
})

test('a text without line breaks is cut to the same ids', () => {
  const { file, settings } = small.gemmaTokenizer()
  const tokenizer = encoder(file as never, settings)
  const text = Array.from({ length: 400 }, (_, i) => `The ${i}th cat sat on mat number ${i * 7}. `).join('')
  const cut = tokenizer(text)
  const whole = new (library.Tokenizer as unknown as Library)(file, settings).encode(text)
  expect(cut).toEqual({ ok: true, value: Uint32Array.from(whole.ids) })
})
