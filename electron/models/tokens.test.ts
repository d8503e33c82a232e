import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { idOutside, readText, readTokenFile, tokenBytes } from './tokens.ts'

let folder = ''
beforeAll(async () => void (folder = await mkdtemp(path.join(tmpdir(), 'signum-test-'))))
afterAll(() => rm(folder, { recursive: true }))
const file = async (name: string, content: string | Uint8Array) => {
  await writeFile(path.join(folder, name), content)
  return path.join(folder, name)
}

test('ids survive the way through a file, low byte first', async () => {
  expect([...tokenBytes(Uint32Array.of(1, 0x01020304))]).toEqual([1, 0, 0, 0, 4, 3, 2, 1])
  await fc.assert(
    fc.asyncProperty(fc.uint32Array({ minLength: 1 }), async (ids) => {
      expect(await readTokenFile(await file('ids.u32', tokenBytes(ids)))).toEqual({ ok: true, value: ids })
    }),
    { numRuns: 20 },
  )
})

test('a token file that is none is refused', async () => {
  expect(await readTokenFile(await file('empty.u32', ''))).toMatchObject({ problem: { code: 'tokens_invalid' } })
  expect(await readTokenFile(await file('odd.u32', 'abcde'))).toMatchObject({ problem: { code: 'tokens_invalid' } })
  expect(await readTokenFile(path.join(folder, 'none.u32'))).toMatchObject({ problem: { code: 'text_unreadable' } })
})

test('an id outside the vocabulary is found', () => {
  expect(idOutside(Uint32Array.of(0, 5, 9), 10)).toBeNull()
  expect(idOutside(Uint32Array.of(0, 10, 11), 10)).toEqual({ id: 10, at: 1 })
})

test('texts are UTF-8', async () => {
  expect(await readText(await file('a.txt', '\ufeffnaïve'))).toEqual({ ok: true, value: 'naïve' })
  expect(await readText(await file('b.txt', Uint8Array.of(0xff, 0xfe)))).toMatchObject({
    problem: { code: 'text_unreadable' },
  })
  expect(await readText(folder)).toMatchObject({ problem: { code: 'text_unreadable' } })
})
