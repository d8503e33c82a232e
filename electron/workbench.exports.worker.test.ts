// What an export leaves behind: in the history, and on the disk when it does not come to its end.
import { createHash } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import type { Attention } from './contract/api.ts'
import type { History } from './history/history.ts'
import { historyIn, newFolder, newRun } from './history/testing/open.ts'
import type { Context } from './runs/context.ts'
import { thisMachine } from './runs/machine.ts'
import { findWorker, usualPlaces } from './worker/location.ts'
import { exportModel } from './exports/export.ts'
import { quantizeRtn } from './exports/testing/worker.ts'

const root = path.resolve(import.meta.dirname, '..')
const demo = path.join(root, 'resources', 'models', 'signum-stories-4m')
const fake = path.join(root, 'electron', 'worker', 'testing', 'fake-worker.mjs')

let folder = ''
let history: History
let context: Context
beforeAll(async () => {
  folder = newFolder()
  history = await historyIn(newFolder())
  context = {
    root,
    version: 'test',
    worker: await findWorker(usualPlaces(root)),
    machine: thisMachine,
    history: () => Promise.resolve({ ok: true, value: history }),
  }
})

const place = (name: string) => path.join(folder, name)
const request = (model: string, name: string) => ({ model, output: place(name), format: 'gguf' as const, threads: 1 })

test("an export of a run's model is in the history with its hash; one of another model is not", async () => {
  const run = place('run')
  await quantizeRtn(demo, run)
  await writeFile(path.join(run, 'recipe.json'), '{}')
  const id = history.runs.add(newRun(run))
  const ending = await exportModel(context, { ...request(run, 'run.gguf'), type: 'f16' }, {})
  if (ending.kind !== 'finished') throw new Error(JSON.stringify(ending))
  const sha256 = createHash('sha256')
    .update(await readFile(place('run.gguf')))
    .digest('hex')
  expect(history.exports.ofRun(id)).toMatchObject([
    {
      format: 'gguf',
      type: 'f16',
      path: place('run.gguf'),
      verified: true,
      files: [{ name: 'run.gguf', sha256 }],
      verification: ending.value.verification,
    },
  ])
  expect(ending.value.verification.relative_error).toBeGreaterThan(0)
  expect((await exportModel(context, request(demo, 'demo.gguf'), {})).kind).toBe('finished')
  expect(history.exports.ofRun(id)).toHaveLength(1)
})

test.each(['write', 'verify'])('cancelled while it does %s: the old file stays, and nothing else', async (phase) => {
  const before = await readdir(folder)
  await writeFile(place('old.gguf'), 'old')
  const cancel = new AbortController()
  const onEvent: Attention['onEvent'] = (event) => {
    if (event.event === 'progress' && event.phase === phase) cancel.abort()
  }
  const asked = { ...request(demo, 'old.gguf'), overwrite: true }
  const ending = await exportModel(context, asked, { onEvent, cancel: cancel.signal })
  // The worker may have been faster.
  if (ending.kind === 'cancelled') expect(await readFile(place('old.gguf'), 'utf8')).toBe('old')
  else expect(ending.kind).toBe('finished')
  expect((await readdir(folder)).toSorted()).toEqual([...new Set([...before, 'old.gguf'])].toSorted())
})

test('a worker that was killed leaves half a file: it is removed', async () => {
  await writeFile(place('half.gguf.partial'), 'half')
  process.env['SIGNUM_FAKE'] = 'crash'
  try {
    const ending = await exportModel({ ...context, worker: { ok: true, value: fake } }, request(demo, 'half.gguf'), {})
    expect(ending).toMatchObject({ kind: 'failed', problem: { code: 'worker_crashed' } })
  } finally {
    delete process.env['SIGNUM_FAKE']
  }
  expect((await readdir(folder)).filter((name) => name.startsWith('half'))).toEqual([])
})
