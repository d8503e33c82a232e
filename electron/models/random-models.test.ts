// The random models are what tests of every family stand on: each folder is whole, and its tokenizer has ids for every text.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { randomConfig, randomModelNames, randomTensors, writeRandomModel } from './testing/random-models.ts'
import { loadTokenizer } from './tokenizer.ts'

let root = ''
beforeAll(async () => void (root = await mkdtemp(path.join(tmpdir(), 'signum-test-'))))
afterAll(() => rm(root, { recursive: true }))

const text = 'Once upon a time, 12345 cats  sat\n\nin the naïve \u{1f600} sun; it was HIS idea.'

test.each(randomModelNames)('%s', async (name) => {
  const folder = path.join(root, name)
  await writeRandomModel(folder, name)
  const encode = await loadTokenizer(folder)
  if (!encode.ok) throw new Error(encode.problem.message)
  const ids = encode.value(text)
  if (!ids.ok) throw new Error(ids.problem.message)
  const config = randomConfig(name)
  expect(ids.value.length).toBeGreaterThan(10)
  expect(ids.value.length).toBeLessThan(text.length * 1.2)
  expect(Math.max(...ids.value)).toBeLessThan(config['vocab_size'] as number)
  const file = JSON.parse(await readFile(path.join(folder, 'tokenizer.json'), 'utf8')) as {
    added_tokens: { id: number; special: boolean }[]
  }
  const special = file.added_tokens.filter((token) => token.special).map(({ id }) => id)
  expect(special).toEqual(expect.arrayContaining([config['bos_token_id'], config['eos_token_id']].flat()))
})

test('the same numbers every time', () => {
  const first = () => Object.values(randomTensors('llama'))[0]?.values.subarray(0, 1000)
  expect(first()).toEqual(first())
})
