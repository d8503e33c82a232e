import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeAsar } from './asar.mjs'
import { filesOf, unzip, zip } from './zip.mjs'

let folder = ''
beforeEach(() => void (folder = mkdtempSync(path.join(tmpdir(), 'signum-test-'))))
afterEach(() => rmSync(folder, { recursive: true }))
const at = (...parts: string[]) => path.join(folder, ...parts)

test('what goes into a zip comes out again, names, bytes and modes', () => {
  const files = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.uint8Array({ maxLength: 300 }), { maxKeys: 5 })
  fc.assert(
    fc.property(files, fc.boolean(), (contents, executable) => {
      rmSync(at('in'), { recursive: true, force: true })
      rmSync(at('out'), { recursive: true, force: true })
      mkdirSync(at('in', 'below'), { recursive: true })
      for (const [name, bytes] of Object.entries(contents)) {
        writeFileSync(at('in', 'below', name), bytes, { mode: executable ? 0o755 : 0o644 })
      }
      zip(at('in'), at('file.zip'))
      expect(unzip(at('file.zip'), (name) => name, at('out'))).toBe(Object.keys(contents).length)
      for (const [name, bytes] of Object.entries(contents)) {
        expect(new Uint8Array(readFileSync(at('out', 'below', name)))).toEqual(bytes)
        expect(statSync(at('out', 'below', name)).mode & 0o111).toBe(executable ? 0o111 : 0)
      }
    }),
    { numRuns: 30 },
  )
})

test('the same files give the same zip; files with a dot in front stay out', () => {
  mkdirSync(at('in'))
  writeFileSync(at('in', 'b'), 'b')
  writeFileSync(at('in', 'a'), 'a')
  writeFileSync(at('in', '.hidden'), 'h')
  expect(filesOf(at('in'))).toEqual(['a', 'b'])
  zip(at('in'), at('1.zip'))
  zip(at('in'), at('2.zip'))
  expect(readFileSync(at('1.zip'))).toEqual(readFileSync(at('2.zip')))
})

test('only what has a place is unpacked', () => {
  mkdirSync(at('in'))
  for (const name of ['a', 'b']) writeFileSync(at('in', name), name)
  zip(at('in'), at('file.zip'))
  expect(unzip(at('file.zip'), (name) => (name === 'a' ? 'x/y' : null), at('out'))).toBe(1)
  expect(readFileSync(at('out', 'x', 'y'), 'utf8')).toBe('a')
})

test('a changed byte is noticed, and so is what is no zip', () => {
  mkdirSync(at('in'))
  writeFileSync(at('in', 'a'), 'some text')
  zip(at('in'), at('file.zip'))
  const bytes = readFileSync(at('file.zip'))
  writeFileSync(at('bad.zip'), Buffer.from(bytes.toString('latin1').replace('some', 'same'), 'latin1'))
  expect(() => unzip(at('bad.zip'), (name) => name, at('out'))).toThrow('a does not have its checksum')
  writeFileSync(at('none.zip'), deflateRawSync('text'))
  expect(() => unzip(at('none.zip'), (name) => name, at('out'))).toThrow('no directory')
})

test('deflated files, as other programs write them, are read', () => {
  const text = 'signum '.repeat(1000)
  mkdirSync(at('in'))
  writeFileSync(at('in', 'long'), text)
  zip(at('in'), at('file.zip'))
  const stored = readFileSync(at('file.zip'))
  const local = stored.subarray(0, 30 + 'long'.length)
  const rest = stored.subarray(local.length + text.length) // the directory and the end
  const packed = deflateRawSync(text)
  for (const [header, first] of [
    [local, 4],
    [rest, 6],
  ] as const) {
    header.writeUInt16LE(8, first + 4)
    header.writeUInt32LE(packed.length, first + 14)
  }
  rest.writeUInt32LE(local.length + packed.length, rest.length - 6)
  writeFileSync(at('deflated.zip'), Buffer.concat([local, packed, rest]))
  expect(unzip(at('deflated.zip'), (name) => name, at('out'))).toBe(1)
  expect(readFileSync(at('out', 'long'), 'utf8')).toBe(text)
})

test('an asar holds its files one after the other, behind a header that says where', () => {
  writeAsar(at('app.asar'), { 'package.json': '{}', 'main.js': 'hello' })
  const bytes = readFileSync(at('app.asar'))
  const header = JSON.parse(bytes.toString('utf8', 16, 16 + bytes.readUInt32LE(12))) as {
    files: Record<string, { offset: string; size: number }>
  }
  const start = 8 + bytes.readUInt32LE(4)
  const { offset, size } = header.files['main.js'] ?? { offset: '', size: 0 }
  expect(bytes.toString('utf8', start + Number(offset), start + Number(offset) + size)).toBe('hello')
})
