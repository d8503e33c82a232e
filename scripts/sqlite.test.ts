import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { chosenElectron, needsStandIn } from './sqlite.mjs'

const folder = mkdtempSync(path.join(tmpdir(), 'signum-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

test.each([
  ['33.2.1', true],
  ['v33.2.1', true],
  ['34.9.0', true],
  ['35.0.0', false],
  ['45.4.1', false],
  [null, false],
])('Electron %s needs the stand-in: %s', (version, needed) => expect(needsStandIn(version)).toBe(needed))

test('the version is that of the folder that was chosen', () => {
  expect(chosenElectron('')).toBeNull()
  expect(chosenElectron(folder)).toBeNull()
  writeFileSync(path.join(folder, 'version'), '33.2.1\n')
  expect(chosenElectron(folder)).toBe('33.2.1')
})
