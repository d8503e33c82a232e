import path from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { Session, type Wish } from './session.ts'

const program = path.join(import.meta.dirname, 'testing', 'fake-worker.mjs')
afterEach(() => void vi.unstubAllEnvs())

const open = (manners = '', cancel?: AbortSignal) => {
  vi.stubEnv('SIGNUM_FAKE', manners)
  return Session.open({ program, job: { version: 1, threads: 1, model: '/m', context: 16 }, cancel })
}
async function opened(manners = ''): Promise<Session> {
  const session = await open(manners)
  if (session.kind !== 'finished') throw new Error(JSON.stringify(session))
  return session.value
}
const wish = (changes: Partial<Wish> = {}): Wish => ({
  tokens: [1, 10, 11, 12],
  max_tokens: 4,
  temperature: 0,
  top_k: 0,
  top_p: 1,
  seed: 0,
  stop_tokens: [],
  ...changes,
})

test('one open model answers one request after another', async () => {
  const session = await opened()
  expect(session.ready).toMatchObject({ vocabulary: 2048, context: 16 })
  const heard: number[] = []
  const first = await session.generate(wish(), (token) => heard.push(token))
  expect(heard).toEqual([10, 11, 12, 10])
  expect(first).toMatchObject({ kind: 'finished', value: { tokens: 4, reason: 'length', prompt_tokens: 4 } })
  const second = await session.generate(wish({ stop_tokens: [12] }), (token) => heard.push(token))
  expect(second).toMatchObject({ kind: 'finished', value: { tokens: 2, reason: 'stop_token' } })
  expect(heard).toHaveLength(6)
  await session.close()
  expect(await session.ended).toEqual({ kind: 'finished', value: { requests: 2, tokens: 6 } })
})

test('what is refused is a failure, and the session goes on', async () => {
  const session = await opened()
  const refused = await session.generate(wish({ tokens: Array<number>(17).fill(3) }), () => undefined)
  expect(refused).toMatchObject({ kind: 'failed', problem: { code: 'context_too_long' } })
  expect(await session.generate(wish(), () => undefined)).toMatchObject({ kind: 'finished' })
  await session.close()
})

test('a halt ends the answer, not the session', async () => {
  const session = await opened('slow')
  const halt = new AbortController()
  const halted = await session.generate(wish({ max_tokens: 1000 }), () => halt.abort(), halt.signal)
  expect(halted).toMatchObject({ kind: 'finished', value: { reason: 'halted' } })
  expect(await session.generate(wish(), () => undefined)).toMatchObject({ value: { reason: 'length' } })
  await session.close()
})

test('a worker that crashes fails the answer under way, and every later one', async () => {
  const session = await opened('crash-late')
  const crashed = await session.generate(wish(), () => undefined)
  expect(crashed).toMatchObject({ kind: 'failed', problem: { code: 'worker_crashed' } })
  expect(await session.generate(wish(), () => undefined)).toMatchObject({ kind: 'failed' })
})

test('a model that cannot be opened says why', async () => {
  expect(await open('fail')).toMatchObject({ kind: 'failed', problem: { code: 'factor_failed' } })
  expect(await open('', AbortSignal.abort())).toEqual({ kind: 'cancelled' })
})

test('a closed session has ended, even one in the middle of an answer', async () => {
  const session = await opened('slow')
  const answer = session.generate(wish({ max_tokens: 1000 }), () => undefined)
  await session.close()
  expect(await answer).toMatchObject({ kind: 'finished', value: { reason: 'halted' } })
})
