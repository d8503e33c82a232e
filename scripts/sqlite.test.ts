import { expect, test } from 'vitest'
import { needsStandIn } from './sqlite.mjs'

test.each([
  ['33.2.1', true],
  ['34.9.0', true],
  ['35.0.0', false],
  ['45.4.1', false],
  [null, false],
])('Electron %s needs the stand-in: %s', (version, needed) => expect(needsStandIn(version)).toBe(needed))
