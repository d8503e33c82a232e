import { expect, test } from 'vitest'
import type { Check } from '../../../electron/contract/api.ts'
import { standardSettings } from '../../../electron/contract/settings.ts'
import { reportText, threadsOf } from './report.ts'

const checks: Check[] = [
  { name: 'processor', ok: true, state: '16 threads, 25.3 GB of memory', remedy: null },
  { name: 'worker', ok: false, state: 'The worker is not there.', remedy: 'npm run setup' },
]

test('a report names versions, folder, settings and checks, what is missing with its remedy', () => {
  const about = { version: '0.1.0', data: '/data', versions: { electron: '45.4.1', node: '24.1.0' } }
  expect(reportText(about, checks, standardSettings)).toBe(`Signum 0.1.0
electron 45.4.1, node 24.1.0
data folder: /data
theme system, threads all

ok      processor: 16 threads, 25.3 GB of memory
MISSING worker: The worker is not there.
        remedy: npm run setup
`)
  expect(reportText(about, checks, { ...standardSettings, threads: 3 })).toContain('threads 3\n')
})

test('the number of threads comes from the worker', () => {
  expect(threadsOf(checks)).toBe(16)
  expect(threadsOf([{ ...checks[0]!, state: '1 thread, 2 GB of memory' }])).toBe(1)
  expect(threadsOf(checks.slice(1))).toBeNull()
})
