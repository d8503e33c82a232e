import { expect, test } from 'vitest'
import type { WindowEvent } from '../../../electron/contract/window.ts'
import type { ask as askWindow } from '../../client/client.ts'
import { Exporting } from './exporting.svelte.ts'

/** `place`: what the dialog answers; the export ends as the test says. */
function panel(place: string | null) {
  const asked: [string, unknown][] = []
  let hear: (event: WindowEvent) => void = () => undefined
  let end: (outcome: object) => void = () => undefined
  const ask = ((name: string, request: unknown) => {
    asked.push([name, request])
    if (name === 'chooseOutput') return Promise.resolve({ value: place, problem: null })
    if (name === 'startExport') return new Promise((resolve) => (end = resolve))
    return Promise.resolve({ value: null, problem: null })
  }) as unknown as typeof askWindow
  const exporting = new Exporting(ask, (listener) => {
    hear = listener
    return () => undefined
  })
  return { exporting, asked, hear: (event: WindowEvent) => hear(event), end: (outcome: object) => end(outcome) }
}
const soon = () => new Promise((resolve) => setTimeout(resolve))
const standing = { kind: 'exporting' as const, phase: 'write', share: 0.5, eta: null }

test('asks where to, says how far it is, and keeps what came of it', async () => {
  const { exporting, asked, hear, end } = panel('/out/a.gguf')
  exporting.type = 'f16'
  const done = exporting.start(4, 'a run')
  await soon()
  expect(asked.at(-1)).toEqual([
    'startExport',
    { run: 4, output: '/out/a.gguf', format: 'gguf', type: 'f16', shard_bytes: 0 },
  ])
  hear({ ...standing, run: 9 })
  expect(exporting.standing).toBe(null)
  hear({ ...standing, run: 4 })
  expect(exporting.standing).toMatchObject({ share: 0.5 })
  end({ value: { output: '/out/a.gguf' }, problem: null })
  await done
  expect(exporting).toMatchObject({ run: null, problem: null })
  expect(exporting.results.get(4)).toEqual({ output: '/out/a.gguf' })
})

test('no place, no export; a cancelled one is no problem, a failed one is', async () => {
  const changedMind = panel(null)
  await changedMind.exporting.start(1, 'a')
  expect(changedMind.asked.map(([name]) => name)).toEqual(['chooseOutput'])
  for (const code of ['cancelled', 'disk_full']) {
    const { exporting, end } = panel('/a')
    const done = exporting.start(1, 'a')
    await soon()
    end({ value: null, problem: { code, message: '' } })
    await done
    expect(exporting.problem?.problem.code).toBe(code === 'cancelled' ? undefined : code)
    expect(exporting.results.size).toBe(0)
  }
})
