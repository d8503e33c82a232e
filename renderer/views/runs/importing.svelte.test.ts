import { expect, test, vi } from 'vitest'
import type { ask as askWindow } from '../../client/client.ts'
import { navigation } from '../../client/navigation.svelte.ts'
import { Importing } from './importing.svelte.ts'

const answers: Record<string, unknown> = { runs: [], queue: { running: [], waiting: [], waits: [] } }
const call = (name: string) => Promise.resolve({ kind: 'finished', value: answers[name] ?? null })
vi.stubGlobal('window', { signum: { call } })

function shelf(answer: object) {
  const asked: [string, unknown][] = []
  const ask = ((name: string, request: unknown) => {
    asked.push([name, request])
    return Promise.resolve(name === 'chooseFolder' ? { value: '/elsewhere/packed', problem: null } : answer)
  }) as unknown as typeof askWindow
  return { importing: new Importing(ask), asked }
}

test('a chosen folder becomes a run, and is shown', async () => {
  const { importing, asked } = shelf({ value: { id: 7, known: false }, problem: null })
  await importing.browse()
  expect(asked.at(-1)).toEqual(['import', { folder: '/elsewhere/packed' }])
  expect(navigation.here.run).toBe(7)
  expect(importing).toMatchObject({ folder: null, problem: null })
  expect(importing.said).toContain('every hash in it was checked')
})

test('one that is there already is shown, one that is broken says why', async () => {
  const known = shelf({ value: { id: 3, known: true }, problem: null })
  await known.importing.take('/a')
  expect(known.importing.said).toContain('was a run already')
  const broken = shelf({ value: null, problem: { code: 'packed_broken', message: 'no' } })
  await broken.importing.take('/a')
  expect(broken.importing.problem).toMatchObject({ code: 'packed_broken' })
})
