import { expect, test } from 'vitest'
import type { ModelCard } from '../../../electron/contract/api.ts'
import type { RunSummary } from '../../../electron/contract/history.ts'
import { modelLookup, rowOf as rowBy, sourceName, textKey } from './row.ts'
import { perplexity, row, run } from './testing/run.ts'
import { textsOf } from './text.ts'

const rowOf = (one: RunSummary, cards: readonly ModelCard[]) => rowBy(one, modelLookup(cards))
const card: ModelCard = { id: 1, folder: '/models/tiny', name: 'Tiny', bundled: false, model: null, problem: null }

test('a run as a row', () => {
  const metrics = [
    perplexity('original', 9),
    perplexity('packed', 17),
    perplexity('packed', 3, { name: 'other' }),
    perplexity('packed', 0.25, { name: 'kld', standard_error: 0.01 }),
  ]
  const made = rowOf(run({ metrics }), [card])
  expect(made).toMatchObject({ model: 'Tiny', modelKey: '/models/tiny', seconds: 10, chosen: '', method: 'gptq' })
  expect(made.texts).toEqual(
    new Map([
      [
        textKey({ source: 'bundled:evaluation-stories', window: 256, protocol: 'papers' }),
        {
          sha256: 'aa',
          packed: { value: 17, standard_error: 1.5 },
          original: { value: 9, standard_error: 1.5 },
          kld: { value: 0.25, standard_error: 0.01 },
          sameTop: null,
        },
      ],
    ]),
  )
})

test('only what is not as usual is named', () => {
  const changed = run()
  changed.recipe.parameters = { ...changed.recipe.parameters, bits: 3, group: 64 }
  expect(rowOf(changed, []).chosen).toBe('bits=3 group=64')
  const unknown = run({ method: 'later' })
  unknown.recipe.parameters = { depth: 2 }
  expect(rowOf(unknown, []).chosen).toBe('depth=2')
})

test('a model that is off the list is called by its folder', () => {
  expect(rowOf(run({ model_id: null }), [])).toMatchObject({ model: 'tiny', originalBytes: null })
  // Its number may have gone to another folder.
  expect(rowOf(run({ model_id: null }), [{ ...card, folder: '/models/other' }]).model).toBe('tiny')
})

test('names of sources', () => {
  expect(sourceName('bundled:evaluation-stories')).toBe('evaluation-stories')
  expect(sourceName('/texts/book.txt')).toBe('book.txt')
  expect(sourceName('C:\\texts\\book.txt')).toBe('book.txt')
})

test('texts with the most runs first; window and protocol are named where they tell two apart', () => {
  const on = (id: number, windows: number[], source = 'bundled:a') =>
    row({ id, metrics: windows.map((window) => perplexity('packed', 9, { window, source })) })
  const found = textsOf([on(1, [512]), on(2, [256]), on(3, [256]), on(4, [128], 'my words.txt')])
  expect(found.map(({ name, source, window, runs }) => [name, source, window, runs])).toEqual([
    ['a, 256', 'bundled:a', 256, 2],
    ['my words.txt', 'my words.txt', 128, 1],
    ['a, 512', 'bundled:a', 512, 1],
  ])
  const both = (id: number) => {
    const metrics = (['papers', 'llama.cpp'] as const).map((protocol) => perplexity('packed', 9, { protocol }))
    return row({ id, metrics })
  }
  expect(textsOf([both(1)]).map(({ name, protocol }) => [name, protocol])).toEqual([
    ['evaluation-stories, llama.cpp', 'llama.cpp'],
    ['evaluation-stories, papers', 'papers'],
  ])
})
