// The controller of "Settings" with a window that only pretends.
import { beforeEach, expect, test, vi } from 'vitest'
import { standardSettings } from '../../../electron/contract/settings.ts'
import { settings } from '../../client/settings.svelte.ts'
import { SettingsView } from './settings.svelte.ts'

let asked: [string, unknown][] = []
const answers: Record<string, unknown> = {
  about: { version: '0.1.0', data: '/data', versions: { node: '24.1.0' } },
  doctor: {
    version: '0.1.0',
    checks: [{ name: 'processor', ok: true, state: '8 threads, 16 GB of memory', remedy: null }],
  },
}
vi.stubGlobal('window', {
  signum: {
    call: (name: string, request: unknown) => {
      asked.push([name, request])
      return Promise.resolve({ kind: 'finished', value: answers[name] ?? null })
    },
  },
})

beforeEach(() => {
  asked = []
  settings.now = standardSettings
})

test('threads are kept at once where they can be, and said to be wrong where not', () => {
  const view = new SettingsView()
  view.setThreads(6)
  expect(asked).toEqual([['changeSettings', { threads: 6 }]])
  for (const wrong of [null, -1, 1.5, 4097]) {
    view.setThreads(wrong)
    expect(view.threadsProblem).toBe('A whole number from 0 to 4096.')
  }
  expect(asked).toHaveLength(1)
  view.setThreads(0)
  expect(view.threadsProblem).toBeUndefined()
  expect(settings.now.threads).toBe(0)
})

test('the report is copied as text, and it is said that it was', async () => {
  vi.useFakeTimers()
  const view = new SettingsView()
  await view.load()
  expect(view.threads).toBe(8)
  await view.copyReport()
  const [name, request] = asked.at(-1)!
  expect(name).toBe('copyText')
  expect((request as { text: string }).text).toContain('ok      processor: 8 threads')
  expect(view.copied).toBe('report')
  await vi.advanceTimersByTimeAsync(1500)
  await view.copyFolder()
  expect(asked.at(-1)).toEqual(['copyText', { text: '/data' }])
  await vi.advanceTimersByTimeAsync(1500)
  expect(view.copied).toBe('folder')
  await vi.advanceTimersByTimeAsync(1000)
  expect(view.copied).toBeNull()
  vi.useRealTimers()
})
