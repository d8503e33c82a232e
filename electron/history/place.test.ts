import path from 'node:path'
import { expect, test } from 'vitest'
import { dataFolder } from './place.ts'

const at = (platform: NodeJS.Platform, environment: Record<string, string> = {}, chosen?: string) =>
  dataFolder(chosen, { platform, environment, home: '/home/me' })

test('the option goes before the environment, and that before the usual place', () => {
  const environment = { SIGNUM_DATA: '/elsewhere', XDG_DATA_HOME: '/data' }
  expect(at('linux', environment, 'here')).toBe(path.resolve('here'))
  expect(at('linux', environment)).toBe('/elsewhere')
  expect(at('linux', { XDG_DATA_HOME: '/data' })).toBe('/data/signum')
  expect(at('linux', { XDG_DATA_HOME: 'relative', SIGNUM_DATA: '' })).toBe('/home/me/.local/share/signum')
})

test('each platform has its own usual place', () => {
  expect(at('darwin')).toBe('/home/me/Library/Application Support/Signum')
  expect(at('win32', { LOCALAPPDATA: '/local' })).toBe(path.join('/local', 'Signum'))
})
