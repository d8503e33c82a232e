// GGUF files against llama.cpp: what it computes from them, and into which tokens it cuts a text.
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gguf } from '@huggingface/gguf'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { uniform } from '../models/testing/random.ts'
import {
  randomConfig,
  randomModelNames,
  writeRandomModel,
  type RandomModelName,
} from '../models/testing/random-models.ts'
import { loadTokenizer } from '../models/tokenizer.ts'
import { askLlamaCpp, continueLlamaCpp, llamaCppIsThere, nmse } from './testing/llama-cpp.ts'
import { roundedFolder } from './testing/rounded.ts'
import { exportGguf, logitsOf, quantizeRtn } from './testing/worker.ts'

const bundled = path.resolve(import.meta.dirname, '..', '..', 'resources', 'models', 'signum-stories-4m')

let root = ''
beforeAll(async () => void (root = await mkdtemp(path.join(tmpdir(), 'signum-gguf-'))))
afterAll(() => rm(root, { recursive: true }))

const texts = [
  'Once upon a time, there was a little cat. "I\'m HERE," it said; they\'ll see you.',
  'Numbers 12345 and 7, a tab\tand  two   three spaces.\n\nNew lines\r\n end with a space ',
  'naïve \u{1f600} façade — 東京 is far',
]

/** What differs from the usual. GELU comes from a table of 65,536 F16 values there; texts beyond its window are another matter. */
const differs: Partial<Record<RandomModelName, { tokens?: number; error?: number }>> = {
  mistral: { tokens: 24 },
  'gemma-2': { error: 1e-6 },
  'gemma-3': { error: 1e-6 },
  'gemma-3-linear': { error: 1e-6 },
}
const unknown: readonly RandomModelName[] = ['opt', 'opt-post-norm']
const families = randomModelNames.filter((name) => !unknown.includes(name))

interface Case {
  readonly name: string
  /** The folder, made where it is not there. */
  readonly folder: () => Promise<string>
  readonly vocabulary: number
  readonly tokens: number
  readonly error: number
}
const usual = { vocabulary: 2048, tokens: 48, error: 1e-10 }
const cases: Case[] = [
  { ...usual, name: 'signum-stories-4m', folder: () => Promise.resolve(bundled) },
  { ...usual, name: 'signum-stories-4m, packed', folder: () => quantizeRtn(bundled, path.join(root, 'run')) },
  ...families.map((name): Case => ({
    ...usual,
    ...differs[name],
    name,
    folder: async () => {
      await writeRandomModel(path.join(root, name), name)
      return path.join(root, name)
    },
    vocabulary: randomConfig(name)['vocab_size'] as number,
  })),
]

describe.skipIf(!llamaCppIsThere)('llama.cpp agrees', () => {
  test.for(cases)('$name', async ({ name, folder, vocabulary, tokens, error }, { annotate }) => {
    const model = await folder()
    const file = path.join(root, `${name}.gguf`)
    await exportGguf(model, file)
    const { metadata } = await gguf(file, { allowLocalFile: true })
    expect(Reflect.get(metadata, 'tokenizer.ggml.tokens')).toHaveLength(vocabulary)
    const next = uniform(tokens)
    const ids = Array.from({ length: tokens }, () => Math.floor(next() * vocabulary))
    const judged = await askLlamaCpp(root, file, ids, texts)
    const difference = nmse(await logitsOf(root, model, ids), judged.logits)
    await annotate(`NMSE ${difference.toExponential(1)}`)
    expect(difference).toBeLessThan(error)
    const encode = await loadTokenizer(model)
    if (!encode.ok) throw new Error(encode.problem.message)
    expect(judged.ids).toEqual(
      texts.map((text) => {
        const ids = encode.value(text)
        return ids.ok ? [...ids.value] : ids.problem
      }),
    )
  })
})

/** Matrices as the type rounds them, and the rest of the error: llama.cpp rounds what it multiplies with them too. */
const short = { f16: 1e-6, bf16: 1e-4 } as const
const oneOfEach: readonly RandomModelName[] = ['llama', 'mistral', 'qwen2', 'qwen3', 'gemma-2', 'gemma-3', 'phi-3']
const judgedTypes = (['f16', 'bf16'] as const).flatMap((type) =>
  cases
    .filter(({ name }) => name === 'signum-stories-4m' || oneOfEach.some((one) => one === name))
    .map((one) => ({ ...one, type })),
)

describe.skipIf(!llamaCppIsThere)('llama.cpp agrees on rounded weights', () => {
  test.for(judgedTypes)('$name, $type', async ({ name, type, folder, vocabulary, tokens, error }, { annotate }) => {
    const model = await folder()
    const file = path.join(root, `${name}-${type}.gguf`)
    await exportGguf(model, file, type)
    const next = uniform(tokens)
    const ids = Array.from({ length: tokens }, () => Math.floor(next() * vocabulary))
    const judged = await askLlamaCpp(root, file, ids, [])
    const same = await roundedFolder(model, path.join(root, `${name}-${type}`), type)
    const difference = nmse(await logitsOf(root, same, ids), judged.logits)
    await annotate(`NMSE ${difference.toExponential(1)}`)
    expect(difference).toBeLessThan(Math.max(short[type], error))
  })
})

describe.skipIf(!llamaCppIsThere)('llama.cpp goes on with the same text', () => {
  const start = [1, 410, 403, 261, 378]
  test.for(['f32', 'f16'] as const)('64 tokens, the most likely each time: %s', async (type, { annotate }) => {
    const file = path.join(root, `greedy-${type}.gguf`)
    const packed = await quantizeRtn(bundled, path.join(root, `greedy-${type}`))
    await exportGguf(packed, file, type)
    const text = await continueLlamaCpp(root, file, start, 64)
    expect(text).toHaveLength(64)
    // What the worker would have said in each place, after the same beginning.
    const logits = await logitsOf(root, packed, [...start, ...text])
    let agreed = 0
    for (const [i, token] of text.entries()) {
      const row = logits.subarray((start.length + i - 1) * 2048, (start.length + i) * 2048)
      const best = row.indexOf(Math.max(...row))
      if (best !== token) {
        // Two tokens that are as good as equally likely may change places where weights are rounded.
        expect(type).toBe('f16')
        expect(row[best]! - row[token]!).toBeLessThan(0.01)
        break
      }
      agreed++
    }
    await annotate(`${agreed} tokens agree`)
    if (type === 'f32') expect(agreed).toBe(64)
  })
})

test('the header says what the file is, and the file ends where its tensors do', async () => {
  const file = path.join(root, 'header.gguf')
  const result = await exportGguf(bundled, file)
  const { metadata, tensorInfos, tensorDataOffset } = await gguf(file, { allowLocalFile: true })
  const bytes = await readFile(file)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const values = tensorInfos.reduce((sum, { shape }) => sum + Number(shape.reduce((a, b) => a * b, 1n)), 0)
  const exact = { tensors: 38, values, exact_values: values, relative_error: 0, largest_error: 0 }
  expect(result).toEqual({
    format: 'gguf',
    files: [{ name: 'header.gguf', bytes: bytes.length, sha256 }],
    bytes: bytes.length,
    tensors: 38,
    architecture: 'llama',
    verification: exact,
    types: [{ type: 'F32', ...exact }],
    chosen: [],
  })
  expect(metadata).toMatchObject({
    version: 3,
    'general.architecture': 'llama',
    'general.name': 'signum-stories-4m',
    'general.file_type': 0,
    'llama.block_count': 4,
    'llama.attention.head_count': 4,
    'llama.attention.head_count_kv': 2,
    'llama.rope.dimension_count': 64,
    'tokenizer.ggml.model': 'llama',
    'tokenizer.ggml.bos_token_id': 1,
    'tokenizer.ggml.eos_token_id': 2,
    'tokenizer.ggml.add_bos_token': true,
    'tokenizer.ggml.add_space_prefix': true,
  })
  expect(tensorInfos).toHaveLength(38)
  const last = tensorInfos.at(-1)!
  const end = Number(tensorDataOffset) + Number(last.offset) + 4 * Number(last.shape.reduce((a, b) => a * b, 1n))
  expect(Math.ceil(end / 32) * 32).toBe(result.bytes)
  expect(tensorInfos[0]).toMatchObject({ name: 'token_embd.weight', shape: [256n, 2048n], dtype: 0 })
})
