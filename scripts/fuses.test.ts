import { expect, test } from 'vitest'
import { stateOf } from './fuses.mjs'

const said = `Analyzing app: signum
Fuse Version: v1
  RunAsNode is Disabled
  OnlyLoadAppFromAsar is Enabled
  WasmTrapHandlers is Inherited
`
test.each([
  ['RunAsNode', 'off'],
  ['OnlyLoadAppFromAsar', 'on'],
  ['WasmTrapHandlers', null],
  ['EnableCookieEncryption', null],
])('%s is %s', (name, state) => expect(stateOf(said, name)).toBe(state))
