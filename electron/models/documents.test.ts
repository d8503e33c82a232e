import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { success } from '../contract/errors.ts'
import { beginningOf } from './beginning.ts'
import { isDocuments, openDocuments, type Documents } from './documents.ts'
import { drawWindows } from './draw.ts'
import { readText } from './tokens.ts'

const stories = path.join(import.meta.dirname, 'testdata', 'documents.jsonl')
const texts = readFileSync(stories, 'utf8')
  .trim()
  .split('\n')
  .map((line) => (JSON.parse(line) as { text: string }).text)

let folder = ''
const place = (name: string) => path.join(folder, name)
beforeAll(() => void (folder = mkdtempSync(path.join(tmpdir(), 'signum-test-'))))
afterAll(() => rmSync(folder, { recursive: true }))

async function opened(file: string): Promise<Documents> {
  const documents = await openDocuments(file)
  if (!documents.ok) throw new Error(documents.problem.message)
  return documents.value
}
async function allOf(file: string): Promise<string[]> {
  const documents = await opened(file)
  const found = await Promise.all(Array.from({ length: documents.count }, (_, i) => documents.text(i)))
  await documents.close()
  return found.map((one) => (one.ok ? one.value : one.problem.message))
}

describe('documents', () => {
  test('by the name of the file', () => {
    const names = [
      'a.jsonl',
      'a.json',
      'a.jsonl.gz',
      'c4-train.00000-of-01024.json.gz',
      'a.txt',
      'a.gz',
      'a.u32',
      'jsonl',
    ]
    expect(names.filter(isDocuments)).toEqual(names.slice(0, 4))
  })

  test('one a line, plain or compressed', async () => {
    expect(await allOf(stories)).toEqual(texts)
    mkdirSync(place('tmp'))
    vi.stubEnv('TMPDIR', place('tmp'))
    writeFileSync(place('a.json.gz'), gzipSync(readFileSync(stories)))
    expect(await allOf(place('a.json.gz'))).toEqual(texts)
    expect(readdirSync(place('tmp'))).toEqual([])
    vi.unstubAllEnvs()
  })

  test('empty lines, other line ends, and no newline at the end', async () => {
    const lines = ['{"text":"a"}', '', '{"text":"b\\n","url":"x"}\r', '\r', '{"text":""}']
    writeFileSync(place('ends.jsonl'), lines.join('\n'))
    expect(await allOf(place('ends.jsonl'))).toEqual(['a', 'b\n', ''])
  })

  test('longer than what is read at once', async () => {
    const long = Array.from({ length: 5 }, (_, i) => String(i).repeat(700_000))
    writeFileSync(place('long.jsonl'), long.map((text) => `${JSON.stringify({ text })}\n`).join(''))
    expect(await allOf(place('long.jsonl'))).toEqual(long)
  })

  test('what is no document is named by its line', async () => {
    writeFileSync(place('bad.jsonl'), '{"text":"a"}\n\n{"words":"b"}\nnot json\n')
    const message = (line: number) =>
      `${place('bad.jsonl')}, line ${line}, is no document: a JSON object with its text under "text".`
    expect(await allOf(place('bad.jsonl'))).toEqual(['a', message(3), message(4)])
  })

  test('what cannot be read at all', async () => {
    writeFileSync(place('empty.jsonl'), '\n\n')
    writeFileSync(place('broken.json.gz'), gzipSync(Buffer.alloc(100_000, 'x')).subarray(0, 60))
    const code = async (name: string) => {
      const documents = await openDocuments(place(name))
      return documents.ok || documents.problem.code
    }
    for (const name of ['empty.jsonl', 'none.jsonl', 'broken.json.gz']) {
      expect([name, await code(name)]).toEqual([name, 'text_unreadable'])
    }
  })

  test('a compressed text that is no file of documents', async () => {
    writeFileSync(place('a.txt.gz'), gzipSync('\ufeffOnce upon a time.'))
    expect(await readText(place('a.txt.gz'))).toEqual(success('Once upon a time.'))
    writeFileSync(place('b.txt.gz'), 'not packed')
    expect(await readText(place('b.txt.gz'))).toMatchObject({ ok: false, problem: { code: 'text_unreadable' } })
  })
})

describe('how a file begins', () => {
  test('a text up to so many bytes, in whole characters', async () => {
    writeFileSync(place('e.txt'), 'aé'.repeat(100))
    expect(await beginningOf(place('e.txt'), 30)).toEqual({ texts: ['aé'.repeat(10)], share: 0.1 })
    expect(await beginningOf(place('e.txt'), 32)).toEqual({ texts: [`${'aé'.repeat(10)}a`], share: 32 / 300 })
    expect((await beginningOf(place('e.txt'), 1000)).share).toBe(1)
  })

  test('documents as their texts, compressed ones too', async () => {
    expect(await beginningOf(stories, 1e6)).toEqual({ texts, share: 1 })
    const some = await beginningOf(stories, 2000)
    expect(some.texts).toEqual(texts.slice(0, some.texts.length))
    expect(some.texts.length).toBeGreaterThan(3)
    writeFileSync(place('b.jsonl.gz'), gzipSync(readFileSync(stories)))
    expect(await beginningOf(place('b.jsonl.gz'), 1e6)).toEqual({ texts, share: 1 })
  })
})

describe('windows of documents drawn at random', () => {
  /** A token a character. */
  const encode = (text: string) => success(Uint32Array.from(text, (character) => character.codePointAt(0)!))

  // What the published programs' loop draws of testdata/documents.jsonl, with CPython 3.11:
  //   def draw(nsamples, seqlen, seed):
  //       random.seed(seed)
  //       for _ in range(nsamples):
  //           while True:
  //               i = random.randint(0, len(docs) - 1)
  //               ids = [ord(c) for c in docs[i]]
  //               if len(ids) > seqlen: break
  //           j = random.randint(0, len(ids) - seqlen - 1)
  //           yield i, j, sum(ids[j:j + seqlen])
  test.each([
    [
      8,
      200,
      0,
      [
        [13, 20, 17700],
        [8, 261, 17827],
        [15, 12, 18071],
        [15, 11, 18093],
        [18, 111, 17833],
        [8, 272, 17772],
        [2, 169, 17420],
        [15, 3, 18090],
      ],
    ],
    [
      5,
      60,
      42,
      [
        [20, 14, 5172],
        [8, 125, 5350],
        [7, 1, 5504],
        [3, 86, 5297],
        [17, 2, 5526],
      ],
    ],
    [
      3,
      500,
      1,
      [
        [2, 16, 43524],
        [13, 0, 44777],
        [13, 7, 44799],
      ],
    ],
  ])('%d sequences of %d, seed %d: those of the published loop', async (sequences, length, seed, expected) => {
    const documents = await opened(stories)
    const windows = await drawWindows('a.jsonl', documents, encode, { sequences, length, seed })
    await documents.close()
    if (!windows.ok) throw new Error(windows.problem.message)
    expect(windows.value.ids).toHaveLength(sequences * length)
    expect(windows.value.places).toEqual(expected.map(([document, start]) => ({ document, start })))
    for (const [place, [document, start, sum]] of expected.entries()) {
      const window = windows.value.ids.subarray(place * length, (place + 1) * length)
      const ids = Uint32Array.from(texts[document!]!, (character) => character.codePointAt(0)!)
      expect(window).toEqual(ids.subarray(start, start! + length))
      expect(window.reduce((total, id) => total + id, 0)).toBe(sum)
    }
  })

  test('a document of just the length is too short; where all are, that is said', async () => {
    const documents = { count: 3, text: (i: number) => Promise.resolve(success('abcd'.slice(0, 2 + i))) }
    const draw = (length: number) => drawWindows('a.jsonl', documents, encode, { sequences: 4, length, seed: 0 })
    expect(await draw(3)).toMatchObject({
      ok: true,
      value: { ids: Uint32Array.from('abcabcabcabc', (c) => c.charCodeAt(0)) },
    })
    expect(await draw(4)).toMatchObject({
      ok: false,
      problem: {
        code: 'calibration_too_short',
        message: 'None of the 3 documents in a.jsonl has more than 4 tokens: choose a smaller length.',
      },
    })
  })

  test('a document that cannot be read ends it', async () => {
    writeFileSync(place('broken.jsonl'), 'nothing\n')
    const documents = await opened(place('broken.jsonl'))
    const drawn = await drawWindows('a.jsonl', documents, encode, { sequences: 1, length: 2, seed: 0 })
    await documents.close()
    expect(drawn).toMatchObject({ ok: false, problem: { code: 'text_unreadable' } })
  })
})
