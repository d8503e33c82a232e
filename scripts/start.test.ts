import { expect, test } from 'vitest'
import { withoutDisplay } from './start.mjs'

test.each<[NodeJS.Platform, NodeJS.ProcessEnv]>([
  ['linux', { DISPLAY: ':0' }],
  ['linux', { WAYLAND_DISPLAY: 'wayland-0' }],
  ['darwin', {}],
  ['win32', {}],
])('a window opens on %s with %j', (platform, environment) => expect(withoutDisplay(platform, environment)).toBeNull())

test('without a display it says what works instead', () => {
  const said = withoutDisplay('linux', { DISPLAY: '' })
  expect(said).toContain('xvfb-run')
  expect(said).toContain('npx signum')
})
