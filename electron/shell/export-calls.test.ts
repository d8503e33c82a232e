import { expect, test } from 'vitest'
import type { Attention, Ending } from '../contract/api.ts'
import type { WindowEvent } from '../contract/window.ts'
import { exportCalls } from './export-calls.ts'

const request = { run: 3, output: '/a.gguf', format: 'gguf' as const, type: 'f16', shard_bytes: 0 }

/** A workbench whose exports wait to be ended. */
function bench(run: object = { folder: '/runs/3', status: 'finished' }) {
  const told: WindowEvent[] = []
  const asked: object[] = []
  let attention: Attention = {}
  let end: (ending: Ending<never>) => void = () => undefined
  const calls = exportCalls(
    {
      run: () => Promise.resolve({ kind: 'finished', value: run as never }),
      settings: () => Promise.resolve({ kind: 'finished', value: { threads: 2 } as never }),
      export: (wanted, heard = {}) => {
        asked.push(wanted)
        attention = heard
        return new Promise((resolve) => (end = resolve))
      },
    },
    (event) => void told.push(event),
  )
  const soon = () => new Promise((resolve) => setTimeout(resolve))
  return { calls, told, asked, soon, heard: () => attention, end: (ending: Ending<never>) => end(ending) }
}

test("a run's packed model is exported with the settings' threads, and told of", async () => {
  const { calls, told, asked, soon, heard, end } = bench()
  const ending = calls.startExport(request)
  await soon()
  expect(asked).toMatchObject([{ model: '/runs/3', output: '/a.gguf', overwrite: true, threads: 2, type: 'f16' }])
  const line = { seq: 0, elapsed: 0, event: 'progress' as const, unit: 'bytes' }
  heard().onEvent?.({ ...line, phase: 'write', done: 1, total: 4, eta: 3 }, { name: 'export' })
  expect(told).toEqual([{ kind: 'exporting', run: 3, phase: 'write', share: 0.25, eta: 3 }])
  expect(await calls.startExport(request)).toMatchObject({ problem: { code: 'export_busy' } })
  await calls.cancelExport()
  expect(heard().cancel?.aborted).toBe(true)
  end({ kind: 'cancelled' })
  expect(await ending).toEqual({ kind: 'cancelled' })
  // What was written stands in the history: the window asks for it again.
  expect(told.at(-1)).toEqual({ kind: 'history' })
})

test('a run that is not finished, or whose files are gone, has nothing to export', async () => {
  const unfinished = bench({ folder: '/runs/3', status: 'stopped' })
  expect(await unfinished.calls.startExport(request)).toMatchObject({ problem: { code: 'run_unknown' } })
  const gone = bench({ folder: null, status: 'finished' })
  expect(await gone.calls.startExport(request)).toMatchObject({ problem: { code: 'run_lost' } })
})
