import { expect, test } from 'vitest'
import type { TextNews } from '../../../electron/contract/generation.ts'
import type { WindowEvent } from '../../../electron/contract/window.ts'
import type { ask as askWindow } from '../../client/client.ts'
import { runs } from '../../client/runs.svelte.ts'
import { Prompt } from './prompt.svelte.ts'

const card = (folder: string) => ({
  id: 1,
  folder,
  name: folder.slice(1),
  bundled: false,
  model: { bytes: 1 },
  problem: null,
})
const models = ['/a', '/b', '/c', '/d', '/e'].map(card)

type Started = { id: number; model: string; seed: number; end: (problem?: { code: string; message: string }) => void }

/** The window's side of a workbench with five models; texts end when the test says so. */
async function opened(count = 2) {
  runs.loaded = true
  const started: Started[] = []
  const asked: [string, unknown][] = []
  let hear: (event: WindowEvent) => void = () => undefined
  const ask = ((name: string, request: { id: number; model: string; seed: number }) => {
    asked.push([name, request])
    if (name === 'library') return Promise.resolve({ value: models, problem: null })
    if (name !== 'startText') return Promise.resolve({ value: null, problem: null })
    return new Promise((resolve) =>
      started.push({
        ...request,
        end: (problem) =>
          resolve(problem ? { value: null, problem } : { value: { tokens: 2, reason: 'length' }, problem: null }),
      }),
    )
  }) as unknown as typeof askWindow
  const prompt = new Prompt(ask, (listener) => {
    hear = listener
    return () => undefined
  })
  await prompt.open()
  prompt.put(models.slice(0, count).map(({ folder }) => `model:${folder}`))
  const say = (id: number, news: TextNews) => hear({ kind: 'text', id, news })
  const more = (id: number, ...tokens: number[]) =>
    say(id, { kind: 'pieces', pieces: tokens.map((token) => ({ id: token, text: ` ${token}` })) })
  const write = (id: number, tokenizer: string, ...tokens: number[]) => {
    say(id, { kind: 'begun', tokenizer, prompt_tokens: 3 })
    more(id, ...tokens)
  }
  return { prompt, started, asked, write, more }
}
const soon = () => new Promise((resolve) => setTimeout(resolve))

test('one by one: the second model is asked when the first has ended, with the same seed', async () => {
  const { prompt, started, write } = await opened()
  const all = prompt.start()
  await soon()
  expect(started.map(({ model, seed }) => [model, seed])).toEqual([['/a', 1]])
  expect(prompt.answerOf('model:/b').state).toBe('waiting')
  write(started[0]!.id, 'x', 1, 2)
  expect(prompt.answerOf('model:/a')).toMatchObject({ state: 'writing', pieces: [{ id: 1 }, { id: 2 }] })
  started[0]!.end()
  await soon()
  expect(started.map(({ model, seed }) => [model, seed])).toEqual([
    ['/a', 1],
    ['/b', 1],
  ])
  write(started[1]!.id, 'x', 1, 3)
  expect(prompt.firstFor('model:/b')).toMatchObject([{ id: 1 }, { id: 2 }])
  expect(prompt.firstFor('model:/a')).toBe(null)
  started[1]!.end()
  await all
  expect(prompt).toMatchObject({ working: false, written: true })
})

test('together: all are asked at once; tokens of another tokenizer are not compared', async () => {
  const { prompt, started, write } = await opened(3)
  prompt.together = true
  const all = prompt.start()
  await soon()
  expect(started).toHaveLength(3)
  write(started[0]!.id, 'x', 1)
  write(started[2]!.id, 'y', 1)
  expect(prompt.firstFor('model:/c')).toBe(null)
  expect(prompt.isForeign('model:/c')).toBe(true)
  expect(prompt.isForeign('model:/b')).toBe(false)
  for (const one of started) one.end()
  await all
})

test('stop ends what is written and asks for nothing more', async () => {
  const { prompt, started, asked } = await opened()
  const all = prompt.start()
  await soon()
  prompt.stop()
  expect(asked.at(-1)).toEqual(['stopText', { id: started[0]!.id }])
  started[0]!.end({ code: 'cancelled', message: '' })
  await all
  expect(started).toHaveLength(1)
  expect(prompt.answerOf('model:/a')).toMatchObject({ state: 'done', problem: null })
  expect(prompt.answerOf('model:/b').state).toBe('empty')
})

test('a problem is said where it happened, and the others go on', async () => {
  const { prompt, started } = await opened()
  const all = prompt.start()
  await soon()
  started[0]!.end({ code: 'memory_short', message: 'too little' })
  await soon()
  started[1]!.end()
  await all
  expect(prompt.answerOf('model:/a').problem).toMatchObject({ code: 'memory_short' })
  expect(prompt.answerOf('model:/b').problem).toBe(null)
})

test('four models at most, each once; what is out of range cannot be asked', async () => {
  const { prompt } = await opened(5)
  expect(prompt.columns).toHaveLength(4)
  prompt.remove('model:/a')
  prompt.add()
  expect(prompt.keys).toEqual(['model:/b', 'model:/c', 'model:/d', 'model:/a'])
  prompt.values.top_p = 1.5
  expect(Object.keys(prompt.errors)).toEqual(['top_p'])
  prompt.values.top_p = null
  expect(prompt.canStart).toBe(false)
  prompt.values.top_p = 1
  expect(prompt.canStart).toBe(true)
})

test('pieces that come after the answer are not lost, those of an earlier start are', async () => {
  const { prompt, started, write, more } = await opened(1)
  const first = prompt.start()
  await soon()
  write(started[0]!.id, 'x', 1)
  started[0]!.end()
  await first
  more(started[0]!.id, 2)
  expect(prompt.answerOf('model:/a')).toMatchObject({ state: 'done', pieces: [{ id: 1 }, { id: 2 }] })
  const second = prompt.start()
  await soon()
  more(started[0]!.id, 3)
  expect(prompt.answerOf('model:/a').pieces).toEqual([])
  started[1]!.end()
  await second
})
