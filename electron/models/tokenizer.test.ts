import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadTokenizer, readBos, type Encode } from './tokenizer.ts'
import { readText, readTokenFile } from './tokens.ts'

const here = import.meta.dirname
const resources = path.join(here, '..', '..', 'resources')
const folders = {
  'signum-stories-4m': path.join(resources, 'models', 'signum-stories-4m'),
  'llama-mix-1m': path.join(here, 'testdata', 'llama-mix-1m'),
  'opt-tinystories-1m': path.join(here, 'testdata', 'opt-tinystories-1m'),
}
type Name = keyof typeof folders
type Case = { text: string; ids: number[] }
const cases = JSON.parse(readFileSync(path.join(here, 'testdata', 'tokenizer_cases.json'), 'utf8')) as Record<
  Name,
  Case[]
>

async function load(folder: string): Promise<(text: string) => number[]> {
  const loaded = await loadTokenizer(folder)
  if (!loaded.ok) throw new Error(loaded.problem.message)
  return (text) => idsOf(loaded.value, text)
}
function idsOf(encode: Encode, text: string): number[] {
  const ids = encode(text)
  if (!ids.ok) throw new Error(ids.problem.message)
  return [...ids.value]
}

describe.each(Object.keys(folders) as Name[])('%s', (name) => {
  test('gives the ids of the reference', async () => {
    const encode = await load(folders[name])
    expect(cases[name].length).toBeGreaterThan(10)
    for (const { text, ids } of cases[name]) expect(encode(text), text).toEqual(ids)
  })

  test('a text beyond the tokens of the reference cases comes out the same in one piece and cut', async () => {
    const encode = await load(folders[name])
    const whole = await loadUncut(folders[name])
    const text = fc.array(
      fc.oneof(fc.constantFrom('▁', ' ', '  ', '\n\n', '</s>', 'é', '\u{1f600}', "n't", 'the'), fc.string()),
    )
    fc.assert(
      fc.property(text, (parts) => {
        const joined = parts.join('').repeat(2)
        expect(encode(joined)).toEqual(whole(joined))
      }),
      { numRuns: 200 },
    )
  })
})

/** The library alone. */
async function loadUncut(folder: string): Promise<(text: string) => number[]> {
  const { Tokenizer } = (await import('@huggingface/tokenizers')) as unknown as {
    Tokenizer: new (file: object, config: object) => { encode: (text: string) => { ids: number[] } }
  }
  const json = (file: string) => JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as object
  const tokenizer = new Tokenizer(json('tokenizer.json'), json('tokenizer_config.json'))
  return (text) => tokenizer.encode(text).ids
}

test('BOS is the special token that stands in front of every text', async () => {
  const first = (name: Name) => cases[name][0]!.ids[0]
  for (const name of Object.keys(folders) as Name[])
    expect([name, await readBos(folders[name])]).toEqual([name, first(name)])
  expect(await readBos(path.join(here, 'nowhere'))).toBeNull()
})

describe('the bundled texts', () => {
  const read = async (file: string) => {
    const ids = await readTokenFile(path.join(here, 'testdata', file))
    if (!ids.ok) throw new Error(ids.problem.message)
    return [...ids.value]
  }
  const encoded = async (file: string) => {
    const text = await readText(path.join(resources, 'texts', file))
    if (!text.ok) throw new Error(text.problem.message)
    return (await load(folders['signum-stories-4m']))(text.value)
  }

  test('the evaluation stories are the 3,361 tokens of the reference', async () => {
    const ids = await encoded('evaluation-stories.txt')
    expect(ids.length).toBe(3361)
    expect(ids).toEqual(await read('signum-stories-4m.evaluation.u32'))
  })

  test('the calibration stories begin with the 8,192 tokens of the reference', async () => {
    const ids = await encoded('calibration-stories.txt')
    expect(ids.slice(0, 8192)).toEqual(await read('signum-stories-4m.calibration.u32'))
  })
})

describe('a folder without a usable tokenizer', () => {
  let folder = ''
  beforeAll(async () => void (folder = await mkdtemp(path.join(tmpdir(), 'signum-test-'))))
  afterAll(() => rm(folder, { recursive: true }))

  test('says that there is none, and the way out', async () => {
    const loaded = await loadTokenizer(folder)
    expect(loaded).toMatchObject({ ok: false, problem: { code: 'tokenizer_missing' } })
    expect(JSON.stringify(loaded)).toContain('--calibration X.u32')
  })

  test.each(['', 'no json', '[]', '{}', '{"model":{"type":"Nonsense"}}'])('says that %j is broken', async (text) => {
    await writeFile(path.join(folder, 'tokenizer.json'), text)
    expect(await loadTokenizer(folder)).toMatchObject({ ok: false, problem: { code: 'tokenizer_broken' } })
  })
})
