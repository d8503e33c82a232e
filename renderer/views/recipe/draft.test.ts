import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Curve } from '../../../electron/contract/curve.ts'
import { methodIds, resolveParameters, type MethodId } from '../../../electron/contract/methods.ts'
import { parseRecipe } from '../../../electron/contract/recipe.ts'
import type { Model } from '../../../electron/contract/records.ts'
import * as drafts from './draft.ts'

const model = { context: 256 } as Model
const first = drafts.firstDraft('/m', model, 0)

/** One chosen parameter, with one more bit for each value. */
function curve(method: MethodId, key: string, values: readonly number[]): Curve {
  const usual = Object.fromEntries(drafts.methodOf(method).parameters.map((one) => [one.key, one.default]))
  const points = values.map((value, i) => ({
    parameters: { ...usual, [key]: value },
    nominal: 1 + i,
    linear: 1 + i,
    file: 1 + i,
    linear_bytes: 100 * (1 + i),
    file_bytes: 200 + 100 * (1 + i),
    most_linear: 1 + i,
    most_file_bytes: 200 + 100 * (1 + i),
  }))
  return { method, chooses: [key], exact: true, points }
}
const planes = curve('signum-rc', 'second_plane', [0, 0.5, 1])

describe('the first draft', () => {
  test('can be run as it is, with texts of our own', () => {
    const parsed = parseRecipe(drafts.recipeOf(first), 'test')
    expect(parsed).toMatchObject({
      ok: true,
      value: {
        method: 'signum-rc',
        calibration: { source: 'bundled:calibration-broad', sequences: 32, length: 256 },
        evaluations: [{ source: 'bundled:evaluation-tales', window: null, protocol: 'papers', join: 'raw' }],
      },
    })
    expect(drafts.firstDraft('/m', { context: 64 } as Model, 0).calibration.length).toBe(64)
  })

  test('is a recipe for every method; a text goes only where it is needed or wanted', () => {
    for (const method of methodIds) {
      const parsed = parseRecipe(drafts.recipeOf({ ...first, method }), 'test')
      expect(parsed.ok && parsed.value.calibration !== null).toBe(method !== 'rtn' && method !== 'fdb')
    }
    expect(drafts.recipeOf({ ...first, method: 'rtn', calibrateAnyway: true }).calibration).not.toBeNull()
  })
})

test('a recipe becomes a draft and the same recipe again', () => {
  for (const method of methodIds) {
    const json = {
      signum_recipe: 1,
      method,
      parameters: method === 'signum-rc' ? { refits: 7 } : {},
      calibration:
        method === 'rtn'
          ? null
          : { source: '/my.txt', sampling: 'random', sequences: 3, length: null, seed: 9, join: 'space' },
      evaluations: [
        { source: '/a.txt', window: 64, protocol: 'llama.cpp', join: 'blank-line' },
        { source: 'bundled:evaluation-stories', window: 64, protocol: 'llama.cpp', join: 'blank-line' },
      ],
    }
    const parsed = parseRecipe(json, 'test')
    if (!parsed.ok) throw new Error(parsed.problem.message)
    const again = parseRecipe(drafts.recipeOf(drafts.draftOf(parsed.value, first)), 'test')
    expect(again).toEqual(parsed)
  }
})

describe('a budget', () => {
  test('sets what it chooses, and leaves the rest', () => {
    const byHand = drafts.withParameter(first, planes, 'refits', 2)
    const { draft, picked } = drafts.withBudget(byHand, planes, { by: 'linear', value: 2.5 })
    expect(draft.given['signum-rc']).toEqual({ refits: 2, second_plane: 0.5 })
    expect([picked?.reach, draft.budget?.value]).toEqual(['within', 2.5])
    // The usual value is no change.
    expect(drafts.withBudget(draft, planes, { by: 'linear', value: 3 }).draft.given['signum-rc']).toEqual({ refits: 2 })
    expect(drafts.placeOf(draft, planes)?.linear).toBe(2)
  })

  test('ends when what it chose is set by hand, and stays when something else is', () => {
    const { draft } = drafts.withBudget(first, planes, { by: 'linear', value: 2 })
    expect(drafts.withParameter(draft, planes, 'refits', 2).budget).toEqual({ by: 'linear', value: 2 })
    const other = drafts.withParameter(draft, planes, 'second_plane', 0.3)
    expect(other.budget).toBeNull()
    expect(drafts.placeOf(other, planes)).toBeNull()
    expect(drafts.asUsual(draft)).toMatchObject({ budget: null, given: { 'signum-rc': {} } })
  })

  test('what stays is what was set by hand beside it, method by method', () => {
    const both = [planes, curve('gptq', 'bits', [2, 3])]
    const draft = { ...first, given: { 'signum-rc': { second_plane: 0.5, refits: 2 }, gptq: { bits: 3 } } }
    expect(drafts.fixedOf(draft, both)).toEqual({ 'signum-rc': { refits: 2 } })
  })
})

test('by hand: the usual value is no change, and another method keeps its own', () => {
  const changed = drafts.withParameter(first, planes, 'refits', 2)
  expect(changed.given).toEqual({ 'signum-rc': { refits: 2 } })
  expect(drafts.withParameter(changed, planes, 'refits', 4).given).toEqual({ 'signum-rc': {} })
  expect(drafts.withParameter({ ...changed, method: 'gptq' }, undefined, 'bits', 3).given).toEqual({
    'signum-rc': { refits: 2 },
    gptq: { bits: 3 },
  })
})

test('a preset sets what it speaks of, leaves the rest, and is known again; a budget ends', () => {
  const arb = { ...first, method: 'arb-x' as const, budget: { by: 'linear' as const, value: 3 } }
  const preset = (id: string) => drafts.methodOf('arb-x').presets!.find((one) => one.id === id)!
  expect(drafts.presetOf(arb)?.id).toBe('paper')
  const fast = drafts.withPreset({ ...arb, given: { 'arb-x': { splits: 2, scale_type: 'f32' } } }, preset('fast'))
  expect(fast.given).toEqual({ 'arb-x': { iterations: 3, scale_type: 'f32' } })
  expect(fast.budget).toBeNull()
  expect(drafts.presetOf(fast)?.id).toBe('fast')
  expect(drafts.withPreset(fast, preset('paper')).given).toEqual({ 'arb-x': { scale_type: 'f32' } })
  expect(drafts.presetOf(drafts.withParameter(fast, undefined, 'iterations', 4))).toBeNull()
  expect(drafts.presetOf({ ...first, method: 'signum-rc' })).toBeNull()
})

test('every parameter of every method has a value in the form, also where two do not go together', () => {
  fc.assert(
    fc.property(fc.constantFrom(...methodIds), fc.integer({ min: 32, max: 256 }), (method, blocksize) => {
      const known = drafts.methodOf(method).parameters
      const given = known.some(({ key }) => key === 'max_salient') ? { blocksize, max_salient: 200 } : {}
      const all = drafts.parametersOf({ method, given: { [method]: given } })
      expect(Object.keys(all).toSorted()).toEqual(known.map(({ key }) => key).toSorted())
      expect(all).toMatchObject(given)
      const resolved = resolveParameters(drafts.methodOf(method), given)
      if (resolved.ok) expect(all).toEqual(resolved.value)
    }),
  )
})

test('for another model nothing is longer than it can look, and the name is not kept', () => {
  const draft = { ...first, name: 'mine', window: 128, method: 'gptq' as const }
  const small = { context: 100 } as Model
  expect(drafts.moved(draft, drafts.firstDraft('/n', small, 0), small)).toMatchObject({
    folder: '/n',
    method: 'gptq',
    name: '',
    window: 100,
    calibration: { length: 100, sequences: 32 },
  })
})

test('types of tables go along to another model, a head only where there is one', () => {
  const tables = { embedding_type: 'rtn8', head_type: 'rtn4' } as const
  const to = (tied: boolean) => drafts.moved({ ...first, tables }, first, { context: 100, tied })
  expect(drafts.recipeOf(to(false))).toMatchObject(tables)
  expect(drafts.recipeOf(to(true))).toMatchObject({ embedding_type: 'rtn8', head_type: 'source' })
  expect(drafts.draftOf(drafts.recipeOf(to(false)), first).tables).toEqual(tables)
})
