import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { overrideText, readOverride, recipeText } from './override-text.ts'
import { findMethod, type MethodId, type Parameters } from './methods.ts'
import {
  checkMatches,
  checkOverrides,
  linearRecipes,
  matchesOf,
  namedOverrides,
  patternFor,
  resolvedOverrides,
  type Override,
} from './overrides.ts'
import { parseRecipe } from './recipe.ts'

const kinds = ['self_attn.q_proj', 'self_attn.k_proj', 'mlp.up_proj', 'mlp.down_proj']
const names = [0, 1, 10].flatMap((layer) => kinds.map((kind) => `model.layers.${layer}.${kind}`))

function treatment(overrides: Override[], method: MethodId = 'gptq', parameters: Parameters = {}) {
  const parsed = parseRecipe({ signum_recipe: 1, method, parameters, overrides }, 'test')
  if (!parsed.ok) throw new Error(parsed.problem.message)
  return parsed.value
}
const texts = (overrides: Override[]) => [...linearRecipes(treatment(overrides), names).values()].map(recipeText)

describe('what each linear gets', () => {
  test('the first override that matches decides; the others get the recipe', () => {
    expect(
      texts([
        { match: String.raw`layers\.1\.`, keep: true },
        { match: 'mlp', method: 'rtn', parameters: { bits: 4 } },
        { match: 'down_proj$', parameters: { bits: 8 } },
      ]),
    ).toEqual([
      ...['gptq', 'gptq', 'rtn bits=4', 'rtn bits=4'],
      ...['kept', 'kept', 'kept', 'kept'],
      ...['gptq', 'gptq', 'rtn bits=4', 'rtn bits=4'],
    ])
  })

  test('without a method, the parameters change those of the recipe; with one, those that are usual for it', () => {
    const asked = treatment(
      [
        { match: 'q_proj', parameters: { bits: 4 } },
        { match: 'k_proj', method: 'gptq' },
      ],
      'gptq',
      { group: 64 },
    )
    const recipes = linearRecipes(asked, names)
    expect(recipes.get(names[0]!)?.parameters).toMatchObject({ bits: 4, group: 64 })
    expect(recipes.get(names[1]!)?.parameters).toMatchObject({ bits: 2, group: 128 })
    expect(resolvedOverrides(asked)[0]).toMatchObject({ method: 'gptq', parameters: { bits: 4, group: 64 } })
  })

  test('a pattern for one name matches no other', () => {
    for (const name of [...names, 'a.b(c)[0]+$']) {
      const matched = [...names, 'a.b(c)[0]+$', 'axb(c)[0]+$'].filter((one) => new RegExp(patternFor(name)).test(one))
      expect(matched).toEqual([name])
    }
  })

  test('the worker is told by name, each recipe once, and nothing of what is as for all', () => {
    const named = namedOverrides(
      treatment([
        { match: 'q_proj', keep: true },
        { match: 'k_proj', method: 'gptq' },
        { match: 'layers.0.*up', method: 'fdb' },
        { match: 'layers.1.*up', method: 'fdb', parameters: { group: 64 } },
      ]),
      names,
    )
    expect(named).toMatchObject([
      { linears: [names[0], names[4], names[8]], keep: true },
      // fdb's usual group is 64. The k_proj linears get what all get.
      { linears: [names[2], names[6], names[10]], method: 'fdb' },
    ])
  })
})

describe('matches', () => {
  test('are counted, with those that an earlier override has taken', () => {
    const overrides = ['mlp', 'down', 'nothing', '('].map((match) => ({ match, keep: true as const }))
    expect(matchesOf(overrides, names)).toEqual([
      { matches: 6, takes: 6 },
      { matches: 3, takes: 0 },
      { matches: 0, takes: 0 },
      null,
    ])
    expect(checkMatches(overrides.slice(0, 2), names)).toEqual({ ok: true, value: null })
    expect(checkMatches(overrides.slice(0, 3), names)).toMatchObject({
      problem: {
        code: 'recipe_invalid',
        message:
          "The override 'nothing' matches no linear of the model; they are called model.layers.0.self_attn.q_proj and the like.",
      },
    })
  })
})

describe('what cannot be', () => {
  const refused = (override: object) => {
    const parsed = parseRecipe({ signum_recipe: 1, method: 'gptq', overrides: [override] }, 'r.json')
    return parsed.ok ? 'ok' : `${parsed.problem.code}: ${parsed.problem.message}`
  }
  test.each([
    [{ match: '(', keep: true }, "recipe_invalid: The pattern '(' of an override is no regular expression: "],
    [{ match: 'a' }, "recipe_invalid: The override 'a' must have a method, parameters, or keep."],
    [{ match: 'a', keep: true, method: 'rtn' }, "recipe_invalid: The override 'a' keeps its linears, so it has no"],
    [{ match: 'a', parameters: { bits: 9 } }, 'recipe_invalid: bits must be a whole number from 2 to 8'],
    [{ match: 'a', method: 'rtn', parameters: { order: 'hessian' } }, "recipe_invalid: rtn has no parameter 'order'"],
    [{ match: '', keep: true }, 'recipe_invalid: r.json: overrides.0.match: '],
    [{ match: 'a', keep: false }, 'recipe_invalid: r.json: overrides.0.keep: '],
    [{ mach: 'a', keep: true }, 'recipe_invalid: r.json: overrides.0'],
  ])('%j', (override, message) => expect(refused(override)).toContain(message))
})

describe('as a word of the command line', () => {
  const gptq = findMethod('gptq')
  const read = (text: string) => {
    const override = gptq.ok ? readOverride(text, gptq.value) : gptq
    return override.ok ? override.value : `${override.problem.code}: ${override.problem.message}`
  }
  test('reads', () => {
    expect(read('mlp=rtn')).toEqual({ match: 'mlp', method: 'rtn', parameters: {} })
    expect(read('(?=.*mlp)a=b=arb-rc:iterations=3,column_group_bitmap=false')).toEqual({
      match: '(?=.*mlp)a=b',
      method: 'arb-rc',
      parameters: { iterations: 3, column_group_bitmap: false },
    })
    expect(read('down=:bits=4')).toEqual({ match: 'down', parameters: { bits: 4 } })
    expect(read('mlp=rtm:bits=4')).toBe(
      "method_unknown: There is no method 'rtm'; did you mean rtn? Methods: rtn, gptq, billm, pb-llm, arb, arb-x, arb-rc, fdb, signum-rc.",
    )
    expect(read('mlp')).toBe("option_invalid: --override must be followed by REGEX=METHOD:key=value,..., not 'mlp'.")
    expect(read('mlp=rtn:bits=9')).toMatch(/^recipe_invalid: bits must be/)
  })
  test('is written as it is read', () => {
    const any = fc.record({
      match: fc.constantFrom('mlp', String.raw`layers\.(0|1)\.`, 'a=b', '=', '^x$'),
      bits: fc.integer({ min: 2, max: 8 }),
      own: fc.boolean(),
    })
    fc.assert(
      fc.property(any, ({ match, bits, own }) => {
        const override: Override = { match, ...(own ? {} : { method: 'gptq' as const }), parameters: { bits } }
        const again = read(overrideText(override)!)
        const given = treatment([override])
        expect(checkOverrides({ ...given, overrides: [again as Override] }).ok).toBe(true)
        expect(linearRecipes({ ...given, overrides: [again as Override] }, names)).toEqual(linearRecipes(given, names))
      }),
    )
    expect(overrideText({ match: 'a', keep: true })).toBeNull()
  })
})
