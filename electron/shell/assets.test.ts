import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { assetOf, contentPolicy } from './assets.ts'

const base = mkdtempSync(path.join(tmpdir(), 'signum-assets-'))
const folder = path.join(base, 'window')

beforeAll(() => {
  mkdirSync(path.join(folder, 'assets'), { recursive: true })
  mkdirSync(path.join(base, 'outside'))
  for (const file of ['window/index.html', 'window/assets/index-a1_B.js', 'window/notes.txt', 'outside/secret.js']) {
    writeFileSync(path.join(base, file), '')
  }
  symlinkSync(path.join(base, 'outside', 'secret.js'), path.join(folder, 'assets', 'link.js'))
  symlinkSync(path.join(base, 'outside'), path.join(folder, 'away'))
})

test('files of the window have their type', async () => {
  expect(await assetOf(folder, '/index.html')).toMatchObject({ type: 'text/html; charset=utf-8' })
  expect(await assetOf(folder, '/assets/index-a1_B.js')).toMatchObject({ type: 'text/javascript; charset=utf-8' })
})

test.each([
  '/',
  '',
  '/assets',
  '/notes.txt',
  '/missing.js',
  '/../outside/secret.js',
  '/%2e%2e/outside/secret.js',
  '/assets/..%2f..%2foutside/secret.js',
  '/assets/%2e%2e/%2e%2e/outside/secret.js',
  '//outside/secret.js',
  '/assets\\..\\..\\outside\\secret.js',
  '/%E0%A4%A',
  '/assets/index-a1_B.js%00.html',
  '/assets/link.js',
  '/away/secret.js',
])('%s is not one of them', async (pathname) => {
  expect(await assetOf(folder, pathname)).toBeNull()
})

test('the page may load nothing from elsewhere and run nothing that it did not bring', () => {
  expect(contentPolicy).toMatch(/^default-src 'none';/)
  expect(contentPolicy).not.toMatch(/unsafe-eval|https?:|\*|script-src[^;]*unsafe/)
})
