// The lab with a worker that only pretends: crashes, rest, room for runs.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import type { Attention } from '../contract/api.ts'
import { failure, success } from '../contract/errors.ts'
import type { PictureBook } from '../pictures/pictures.ts'
import type { Context } from '../runs/context.ts'
import { openLab, type LabSurroundings } from './lab.ts'

const root = path.resolve(import.meta.dirname, '..', '..')
const model = path.join(root, 'resources', 'models', 'signum-stories-4m')
const worker = path.join(root, 'electron', 'worker', 'testing', 'fake-worker.mjs')
afterEach(() => void vi.unstubAllEnvs())

const place = { model, linear: 'a', calibration: null }
const trial = { ...place, slot: 0, method: 'rtn' as const, parameters: {} }
/** Pictures of files that the pretended worker never wrote. */
const pictures = {
  linear: () => Promise.resolve(success({} as never)),
  scale: () => Promise.resolve(success({ weight: 1, error: 1 })),
  forget: () => Promise.resolve(),
} satisfies Pick<PictureBook, 'linear' | 'scale' | 'forget'>

async function labWith(manners: string, changes: Partial<LabSurroundings> = {}, available = 8e9) {
  vi.stubEnv('SIGNUM_FAKE', manners)
  const context: Context = {
    root,
    version: 'test',
    worker: success(worker),
    machine: { availableMemory: () => Promise.resolve(available), freeDisk: () => Promise.resolve(8e9) },
  }
  const folder = await mkdtemp(path.join(tmpdir(), 'signum-test-'))
  vi.stubEnv('TMPDIR', folder)
  const lab = openLab(context, { pictures, busy: () => Promise.resolve(false), ...changes })
  onTestFinished(async () => {
    await lab.close()
    await rm(folder, { recursive: true })
  })
  return lab
}

/** Counts how often a linear was put on the table. */
function counting(): { attention: Attention; count: () => number } {
  let count = 0
  return { attention: { onEvent: () => count++ }, count: () => count }
}

test('a worker that crashes is a clear failure, and the next call has a new one', async () => {
  const lab = await labWith('crash-late')
  expect(await lab.open(place, {})).toMatchObject({ kind: 'finished' })
  expect(await lab.try(trial, {})).toMatchObject({ kind: 'failed', problem: { code: 'worker_crashed' } })
  vi.stubEnv('SIGNUM_FAKE', '')
  expect(await lab.try(trial, {})).toMatchObject({ kind: 'finished', value: { levels: [-1, 1] } })
})

test('a lab that is not asked for a while lets go of its worker; trials stay', async () => {
  const lab = await labWith('', { keep: 30 })
  const { attention, count } = counting()
  expect(await lab.try(trial, attention)).toMatchObject({ value: { trial: 1 } })
  expect(await lab.open(place, attention)).toMatchObject({ value: { seconds: 0 } })
  expect(count()).toBe(1)
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(lab.places('trial-1').ok).toBe(true)
  await lab.open(place, attention)
  expect(count()).toBe(2)
  await lab.close()
  expect(lab.places('trial-1')).toEqual(failure('run_unknown', 'This trial is over: the lab has a newer one.'))
})

test('a run that begins has the memory where it is short, and trials beside it say so', async () => {
  const { attention, count } = counting()
  const roomy = await labWith('', { busy: () => Promise.resolve(true) })
  expect(await roomy.try(trial, attention)).toMatchObject({ value: { warnings: [{ code: 'beside_run' }] } })
  await roomy.makeRoom()
  await roomy.open(place, attention)
  expect(count()).toBe(1)
  const tight = await labWith('', {}, 10_000)
  await tight.open(place, attention)
  await tight.makeRoom()
  await tight.open(place, attention)
  expect(count()).toBe(3)
})

test('where nothing can be written it says so, and goes on when there is room again', async () => {
  const lab = await labWith('')
  const folder = process.env['TMPDIR']!
  vi.stubEnv('TMPDIR', '/dev/null')
  const [first, second] = await Promise.all([lab.open(place, {}), lab.open({ ...place, linear: 'b' }, {})])
  for (const one of [first, second]) expect(one).toMatchObject({ kind: 'failed', problem: { code: 'write_failed' } })
  vi.stubEnv('TMPDIR', folder)
  expect(await lab.open(place, {})).toMatchObject({ kind: 'finished' })
})
