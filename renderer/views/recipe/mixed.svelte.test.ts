import { expect, test } from 'vitest'
import type { PlanAnswer } from '../../../electron/contract/plan.ts'
import { calibrationSchema, recipeSchema, type Recipe } from '../../../electron/contract/recipe.ts'
import type { ask as askWindow } from '../../client/client.ts'
import { MixedPlan, type Subject } from './mixed.svelte.ts'

const calibration = calibrationSchema.parse({ source: 'bundled:calibration-stories' })
const recipeWith = (overrides: Recipe['overrides']): Recipe =>
  recipeSchema.parse({ signum_recipe: 1, method: 'signum-rc', overrides, calibration })
const subject = (overrides: Recipe['overrides']): Subject => ({
  model: '/a',
  recipe: recipeWith(overrides),
  calibration,
  threads: 1,
})
const planned = { match: '^a$', method: 'gptq' as const, parameters: { bits: 3 } }

function answerOf(overrides: Recipe['overrides']): PlanAnswer {
  const sizes = { linear: 2.2, linear_bytes: 10, file_bytes: 20 }
  const choices = ['a', 'b'].map((name) => ({ name, candidate: 0, bytes: 5, error: 0.1, loss: 0.001 }))
  return {
    recipe: recipeWith(overrides),
    plan: { choices, lambda: 1, loss: 0.002, sizes, unused: 0, uniform: null },
    measured: { candidates: [], linears: [], tokens: 1, probe_tokens: 1, seconds: 1, measured_at: 0 },
    file: null,
    curve: [],
  }
}

/** Answers every plan with the person's overrides and one of its own. */
function plans() {
  const asked: { name: string; request: Record<string, unknown> }[] = []
  const ask = ((name: string, request: Record<string, unknown>) => {
    asked.push({ name, request })
    const own = request['overrides'] as Recipe['overrides']
    return Promise.resolve({ value: answerOf([...own, planned]), problem: null })
  }) as unknown as typeof askWindow
  return { mixed: new MixedPlan(ask), asked }
}

test('a plan is asked for with its budget, and says what every linear gets', async () => {
  const { mixed, asked } = plans()
  mixed.budget = 1.9
  await mixed.make(subject([]))
  expect(asked).toMatchObject([{ name: 'plan', request: { model: '/a', budget: { by: 'linear', value: 1.9 } } }])
  expect(mixed.rows.map(({ name, recipe }) => `${name} ${recipe}`)).toEqual(['a gptq bits=3', 'b signum-rc'])
  expect(mixed).toMatchObject({ working: false, problem: null, model: '/a' })
})

test('a budget may be a size of files: what was said in the one stands in the other', async () => {
  const { mixed, asked } = plans()
  mixed.setBy('file_bytes', { linear: 2.5, file_bytes: 7000 })
  expect(mixed).toMatchObject({ by: 'file_bytes', budget: 7000 })
  await mixed.make(subject([]))
  expect(asked[0]!.request['budget']).toEqual({ by: 'file_bytes', value: 7000 })
  mixed.setBy('linear', { linear: 2.5, file_bytes: 7000 })
  expect(mixed).toMatchObject({ by: 'linear', budget: 2.2 })
  mixed.setBy('file_bytes', null)
  expect(mixed.budget).toBe(20)
})

test("the next plan takes the place of the last; a person's own overrides stay", async () => {
  const { mixed, asked } = plans()
  const own = { match: 'down_proj', keep: true as const }
  await mixed.make(subject([own]))
  await mixed.make(subject(mixed.answer!.recipe.overrides))
  expect(asked.map(({ request }) => request['overrides'])).toEqual([[own], [own]])
})

test('what went wrong is said; what was cancelled is no problem', async () => {
  let code = 'budget_too_small'
  const ask = (() => Promise.resolve({ value: null, problem: { code, message: '' } })) as unknown as typeof askWindow
  const mixed = new MixedPlan(ask)
  await mixed.make(subject([]))
  expect(mixed.problem).toMatchObject({ code })
  code = 'cancelled'
  await mixed.make(subject([]))
  expect(mixed).toMatchObject({ problem: null, working: false, answer: null })
})
