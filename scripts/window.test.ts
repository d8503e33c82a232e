import { mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { root } from './node.mjs'
import { fingerprint } from './window.mjs'

let folder = ''
const at = (name: string) => path.join(folder, name)
const now = () => fingerprint([path.relative(root, at('sources'))])
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'signum-test-'))
  mkdirSync(at('sources/below'), { recursive: true })
  writeFileSync(at('sources/below/main.ts'), 'one')
})
afterEach(() => rmSync(folder, { recursive: true }))

test.each<[string, () => void]>([
  ['a file that is changed', () => writeFileSync(at('sources/below/main.ts'), 'other')],
  ['an older file in its place', () => utimesSync(at('sources/below/main.ts'), 1, 1)],
  ['a new file', () => writeFileSync(at('sources/new.ts'), '')],
  ['a file that is gone', () => rmSync(at('sources/below/main.ts'))],
  ['another name', () => renameSync(at('sources/below/main.ts'), at('sources/below/index.ts'))],
])('%s is a reason to build', (_what, change) => {
  const before = now()
  expect(now()).toBe(before)
  change()
  expect(now()).not.toBe(before)
})

test('a test is none', () => {
  writeFileSync(at('sources/below/main.test.ts'), 'one')
  const before = now()
  writeFileSync(at('sources/below/main.test.ts'), 'other')
  expect(now()).toBe(before)
})
