import path from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { LabSession } from './lab-session.ts'

const program = path.join(import.meta.dirname, 'testing', 'fake-worker.mjs')
afterEach(() => void vi.unstubAllEnvs())

const recipe = { method: 'rtn', parameters: { bits: 2 } }
const job = {
  version: 1 as const,
  threads: 1,
  model: '/m',
  calibration: null,
  hessians: null,
  folder: '/',
  activation_limit: 0,
}

async function opened(manners = ''): Promise<LabSession> {
  vi.stubEnv('SIGNUM_FAKE', manners)
  const session = await LabSession.open({ program, job })
  if (session.kind !== 'finished') throw new Error(JSON.stringify(session))
  return session.value
}

test('linears and trials are answered in their order, each to the one who asked', async () => {
  const session = await opened()
  const heard: number[] = []
  session.onProgress = ({ done }) => heard.push(done)
  const asked = [session.put('a'), session.try(recipe, '/1'), session.put('none'), session.try(recipe, '/2')]
  const [put, first, none, second] = await Promise.all(asked)
  expect(put).toMatchObject({ kind: 'finished', value: { name: 'a', at_hand: false, tokens: 100 } })
  expect(heard).toEqual([1, 1])
  expect(first).toMatchObject({ kind: 'finished', value: { levels: [-1, 1] } })
  expect(none).toMatchObject({ kind: 'failed', problem: { code: 'tensor_missing' } })
  expect(second).toMatchObject({ kind: 'finished' })
  await session.close()
  expect(await session.ended).toEqual({ kind: 'finished', value: { linears: 1, trials: 2 } })
})

test('a cancel ends its own request, and leaves the others alone', async () => {
  const session = await opened('slow')
  const cancel = new AbortController()
  const slow = session.try(recipe, '/1', cancel.signal)
  const next = session.try(recipe, '/2')
  cancel.abort()
  expect(await slow).toEqual({ kind: 'cancelled' })
  expect(await next).toMatchObject({ kind: 'finished' })
  expect(await session.try(recipe, '/3', AbortSignal.abort())).toEqual({ kind: 'cancelled' })
  const last = session.put('a')
  await session.close()
  expect(await last).toEqual({ kind: 'cancelled' })
})

test('a worker that crashes fails what it was asked, and whatever comes later', async () => {
  const session = await opened('crash-late')
  const asked = await Promise.all([session.try(recipe, '/1'), session.put('a')])
  for (const one of asked) expect(one).toMatchObject({ kind: 'failed', problem: { code: 'worker_crashed' } })
  expect(await session.put('a')).toMatchObject({ kind: 'failed' })
})
