import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { packageOf } from './bundled.mjs'
import { npmNotice } from './third-party.mjs'

let folder = ''
beforeEach(() => void (folder = mkdtempSync(path.join(tmpdir(), 'signum-test-'))))
afterEach(() => rmSync(folder, { recursive: true }))
const write = (name: string, text: string) => writeFileSync(path.join(folder, name), text)

test('every text of a licence counts, and nothing else', () => {
  write('package.json', '{ "name": "a", "version": "1.2.3", "license": "MIT" }')
  write('LICENSE.md', 'first')
  write('notice.txt', 'third')
  write('licensed.js', 'no')
  mkdirSync(path.join(folder, 'licenses'))
  write('licenses/LICENSE-d3', 'second')
  const { title, text } = npmNotice(folder)
  expect(title).toBe('a 1.2.3 (MIT)')
  expect(text.split('\n\n')).toEqual(['first', 'second', 'third'])
})

test('a package without a text says so, one without a licence is refused', () => {
  write('package.json', '{ "name": "a", "version": "1.2.3", "license": "ISC" }')
  expect(npmNotice(folder).text).toContain('ISC')
  write('package.json', '{ "name": "a", "version": "1.2.3" }')
  expect(() => npmNotice(folder)).toThrow('does not say')
  write('LICENSE', '\nMIT License\n\nCopyright (c) somebody\n')
  expect(npmNotice(folder).title).toBe('a 1.2.3 (MIT License)')
})

test.each([
  ['/p/node_modules/svelte/src/index.js', '/p/node_modules/svelte'],
  ['\0/p/node_modules/@lucide/svelte/x.svelte?svelte&type=style', '/p/node_modules/@lucide/svelte'],
  ['/p/node_modules/a/node_modules/b/c.js', '/p/node_modules/a/node_modules/b'],
  ['C:\\p\\node_modules\\zod\\index.js', 'C:/p/node_modules/zod'],
  ['/p/renderer/app/main.ts', null],
])('%j belongs to %j', (file, folderOf) => expect(packageOf(file)).toBe(folderOf))
