import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { noCudaWorker } from '../contract/devices.ts'
import { findCudaWorker, findWorker } from './location.ts'

let folder = ''
const file = () => path.join(folder, process.platform === 'win32' ? 'signum-worker.exe' : 'signum-worker')
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'signum-test-'))
  await writeFile(file(), '#!/bin/sh\n')
})
afterAll(() => rm(folder, { recursive: true }))

test('the first folder that has an executable worker is taken', async () => {
  await chmod(file(), 0o755)
  const found = await findWorker({ chosen: undefined, folders: [path.join(folder, 'none'), folder] })
  expect(found).toEqual({ ok: true, value: file() })
})

test('a chosen worker is the only one', async () => {
  const chosen = path.join(folder, 'mine')
  expect(await findWorker({ chosen, folders: [folder] })).toMatchObject({
    problem: {
      code: 'worker_missing',
      message: `The worker program ${chosen} is not there or not executable: SIGNUM_WORKER names it.`,
    },
  })
})

test('a worker that cannot be executed is missing', async () => {
  await chmod(file(), 0o644)
  const found = await findWorker({ chosen: undefined, folders: [folder] })
  expect(found).toMatchObject({ problem: { code: 'worker_missing' } })
  expect(JSON.stringify(found)).toContain('npm run setup')
})

test('the CUDA worker lies beside the other one, or where it is said to be; a build without one is told so', async () => {
  const cuda = path.join(folder, process.platform === 'win32' ? 'signum-worker-cuda.exe' : 'signum-worker-cuda')
  const none = { ok: false, problem: { code: 'worker_missing', message: noCudaWorker } }
  const places = { chosen: undefined, folders: [folder] }
  expect(await findCudaWorker(places)).toMatchObject(none)
  await writeFile(cuda, '#!/bin/sh\n')
  await chmod(cuda, 0o755)
  expect(await findCudaWorker(places)).toEqual({ ok: true, value: cuda })
  expect(await findCudaWorker({ ...places, chosenCuda: '' })).toMatchObject(none)
  const other = path.join(folder, 'other')
  const wrong = await findCudaWorker({ ...places, chosenCuda: other })
  expect(JSON.stringify(wrong)).toContain('SIGNUM_CUDA_WORKER names it')
})
