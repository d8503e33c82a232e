import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { chosenElectron, electron, electronProgram, versionOf } from './electron.mjs'

const folder = mkdtempSync(path.join(tmpdir(), 'signum-test-'))
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => vi.unstubAllEnvs())

test('the version is that of the folder', () => {
  expect(versionOf(undefined)).toBeNull()
  expect(versionOf(folder)).toBeNull()
  writeFileSync(path.join(folder, 'version'), 'v33.2.1\n')
  expect(versionOf(folder)).toBe('33.2.1')
})

test('an Electron that was chosen is taken, whatever else there is', async () => {
  vi.stubEnv('ELECTRON_OVERRIDE_DIST_PATH', folder)
  expect(await electron()).toBe('33.2.1, of ELECTRON_OVERRIDE_DIST_PATH')
  expect(chosenElectron()).toBe('33.2.1')
  expect(path.dirname(electronProgram())).toBe(folder)
})

test('one that was chosen and is not there is refused, not replaced', async () => {
  vi.stubEnv('ELECTRON_OVERRIDE_DIST_PATH', path.join(folder, 'none'))
  await expect(electron()).rejects.toMatchObject({ code: 'electron_missing' })
})
