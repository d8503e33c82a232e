import { expect, test } from 'vitest'
import { parseRecipe } from './recipe.ts'

const refused = (json: unknown) => {
  const parsed = parseRecipe(json, 'r.json')
  return parsed.ok ? 'accepted' : `${parsed.problem.code}: ${parsed.problem.message}`
}

test('a recipe is completed with the defaults', () => {
  expect(parseRecipe({ signum_recipe: 1, method: 'rtn' }, 'r.json')).toEqual({
    ok: true,
    value: {
      signum_recipe: 1,
      method: 'rtn',
      parameters: { bits: 2, group: -1, symmetric: false, clip_search: false, scale_type: 'f16' },
      overrides: [],
      embedding_type: 'source',
      head_type: 'source',
      calibration: null,
      evaluations: [],
    },
  })
  const parsed = parseRecipe({ signum_recipe: 1, method: 'gptq', calibration: { source: 'a.txt' } }, 'r.json')
  expect(parsed).toMatchObject({
    value: { calibration: { source: 'a.txt', sampling: 'sequential', sequences: 128, length: null, seed: 0 } },
  })
})

test('what is wrong is named', () => {
  expect(refused({ signum_recipe: 1, method: 'bilm' })).toContain("There is no method 'bilm'; did you mean billm?")
  expect(refused({ signum_recipe: 1, method: 'rtn', parameters: { bits: 9 } })).toBe(
    'recipe_invalid: bits must be a whole number from 1 to 8 (default 2), not 9.',
  )
  expect(refused({ signum_recipe: 1, method: 'rtn', paramters: {} })).toBe(
    "recipe_invalid: r.json: a recipe has no key 'paramters'; did you mean parameters? Keys: signum_recipe, model, method, parameters, overrides, embedding_type, head_type, calibration, evaluations.",
  )
  expect(refused({ signum_recipe: 1, method: 'rtn', calibration: { source: 'a', sequence: 3 } })).toBe(
    "recipe_invalid: r.json: calibration has no key 'sequence'; did you mean sequences? Keys: source, sampling, sequences, length, seed, join.",
  )
  expect(refused({ signum_recipe: 1, method: 'rtn', evaluations: [{ source: 'a', windw: 3 }] })).toContain(
    "evaluations.0 has no key 'windw'; did you mean window?",
  )
  expect(refused({ signum_recipe: 1, method: 'rtn', calibration: { source: 'a', sequences: 0 } })).toMatch(
    /^recipe_invalid: r.json: calibration.sequences: /,
  )
  for (const other of [null, 3, 'rtn', [], {}, { signum_recipe: 2, method: 'rtn' }]) {
    expect(refused(other)).toMatch(/^recipe_invalid: r.json: /)
  }
})
