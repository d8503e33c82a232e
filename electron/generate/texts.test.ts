// Models that are opened, kept and closed, with a worker that repeats its prompt.
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import type { TextNews } from '../contract/generation.ts'
import type { Context } from '../runs/context.ts'
import { openTexts } from './texts.ts'

const root = path.resolve(import.meta.dirname, '..', '..')
const stories = path.join(root, 'resources', 'models', 'signum-stories-4m')
const fakeWorker = path.join(root, 'electron', 'worker', 'testing', 'fake-worker.mjs')
const contextWith = (changes: Partial<Context> = {}): Context => ({
  root,
  version: 'test',
  worker: { ok: true, value: fakeWorker },
  machine: { availableMemory: () => Promise.resolve(8e9), freeDisk: () => Promise.resolve(8e9) },
  ...changes,
})
let folder = ''
/** Five models in a folder. */
const models: string[] = []
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'signum-test-'))
  for (const name of ['a', 'b', 'c', 'd', 'e']) {
    models.push(path.join(folder, name))
    await cp(stories, path.join(folder, name), { recursive: true })
  }
})
afterAll(() => rm(folder, { recursive: true }))
afterEach(() => void vi.unstubAllEnvs())

const ask = (model: string) => ({ model, prompt: 'One day', max_tokens: 3, seed: 0, threads: 1 })

test('a model is opened once, and the next text begins at once', async () => {
  const texts = openTexts(contextWith())
  const news: TextNews[] = []
  const first = await texts.write(ask(stories), { onText: (one) => void news.push(one) })
  expect(first).toMatchObject({ kind: 'finished', value: { text: ' One day One', reason: 'length', tokens: 3 } })
  expect(first).toMatchObject({ value: { open_seconds: expect.any(Number) as number } })
  expect(news[0]).toMatchObject({ kind: 'begun', prompt_tokens: 3 })
  const pieces = news.flatMap((one) => (one.kind === 'pieces' ? one.pieces : []))
  expect(pieces.map(({ text }) => text)).toEqual([' One', ' day', ' One'])
  expect(await texts.write(ask(stories), {})).toMatchObject({ value: { open_seconds: null } })
  await texts.close()
})

test('two texts of one model come one after the other', async () => {
  const texts = openTexts(contextWith())
  const both = await Promise.all([texts.write(ask(stories), {}), texts.write({ ...ask(stories), seed: 1 }, {})])
  expect(both).toMatchObject([{ value: { text: ' One day One' } }, { value: { text: ' day One day' } }])
  await texts.close()
})

test('four models are held open; the one that was used longest ago makes room, one at work does not', async () => {
  const texts = openTexts(contextWith())
  for (const model of models) expect(await texts.write(ask(model), {})).toMatchObject({ kind: 'finished' })
  expect(await texts.write(ask(models[4]!), {})).toMatchObject({ value: { open_seconds: null } })
  expect(await texts.write(ask(models[0]!), {})).toMatchObject({
    value: { open_seconds: expect.any(Number) as number },
  })
  await texts.close()
  vi.stubEnv('SIGNUM_FAKE', 'slow')
  const stop = new AbortController()
  const begun: Promise<void>[] = []
  const long = models.slice(0, 4).map((model) => {
    let resolve = () => undefined as void
    begun.push(new Promise((done) => (resolve = done)))
    return texts.write({ ...ask(model), max_tokens: 1000 }, { stop: stop.signal, onText: () => resolve() })
  })
  await Promise.all(begun)
  await expect(texts.write(ask(models[4]!), {})).resolves.toMatchObject({ problem: { code: 'generation_busy' } })
  stop.abort()
  await Promise.all(long)
  await texts.close()
})

test('a stop keeps what is there', async () => {
  vi.stubEnv('SIGNUM_FAKE', 'slow')
  const texts = openTexts(contextWith())
  const stop = new AbortController()
  const onText = ({ kind }: TextNews) => void (kind === 'pieces' && stop.abort())
  const ending = await texts.write({ ...ask(stories), max_tokens: 1000 }, { cancel: stop.signal, onText })
  expect(ending).toMatchObject({ kind: 'finished', value: { reason: 'halted' } })
  await texts.close()
})

test('a model that is not asked is closed after a while, and one whose folder goes at once', async () => {
  const texts = openTexts(contextWith(), 1)
  await texts.write(ask(stories), {})
  await expect
    .poll(async () => {
      await new Promise((resolve) => setTimeout(resolve, 30))
      const again = await texts.write(ask(stories), {})
      return again.kind === 'finished' && again.value.open_seconds !== null
    })
    .toBe(true)
  await texts.close()
  const kept = openTexts(contextWith())
  await kept.write(ask(models[0]!), {})
  await kept.write(ask(models[1]!), {})
  await kept.forget(models[0]!)
  expect(await kept.write(ask(models[1]!), {})).toMatchObject({ value: { open_seconds: null } })
  expect(await kept.write(ask(models[0]!), {})).toMatchObject({ value: { open_seconds: expect.any(Number) as number } })
  await kept.close()
})

test('a worker that has crashed is started anew for the next text', async () => {
  vi.stubEnv('SIGNUM_FAKE', 'crash-late')
  const texts = openTexts(contextWith())
  expect(await texts.write(ask(stories), {})).toMatchObject({ problem: { code: 'worker_crashed' } })
  vi.stubEnv('SIGNUM_FAKE', '')
  await expect.poll(async () => (await texts.write(ask(stories), {})).kind).toBe('finished')
  await texts.close()
})

test('a model that does not fit, or is none, is refused before it is opened', async () => {
  const machine = { availableMemory: () => Promise.resolve(1e6), freeDisk: () => Promise.resolve(8e9) }
  const small = openTexts(contextWith({ machine }))
  expect(await small.write(ask(stories), {})).toMatchObject({ problem: { code: 'memory_short' } })
  const texts = openTexts(contextWith())
  const none = await texts.write(ask(path.join(folder, 'none')), {})
  expect(none).toMatchObject({ problem: { code: 'not_a_model_folder' } })
})
