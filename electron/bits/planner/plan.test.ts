import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { resolveCandidates, type Measured } from '../../contract/plan.ts'
import { linearRecipes, type LinearRecipe, type Override } from '../../contract/overrides.ts'
import { budgetKinds } from '../../contract/curve.ts'
import { forecast, type CalibrationNote, type Measures } from '../forecast.ts'
import { lossCurve, planOf } from './plan.ts'
import { patternsFor } from './recipe.ts'

const resolved = (given: Parameters<typeof resolveCandidates>[0]): LinearRecipe[] => {
  const candidates = resolveCandidates(given)
  if (!candidates.ok) throw new Error(candidates.problem.message)
  return candidates.value
}
const usual = resolved(null)
/** Methods whose bytes the weights decide are among them. */
const every = resolved([
  { method: 'rtn', parameters: { bits: 1 } },
  { method: 'gptq', parameters: { bits: 3, order: 'hessian' } },
  { method: 'billm', parameters: {} },
  { method: 'arb-rc', parameters: { max_salient: 20 } },
  { method: 'pb-llm', parameters: {} },
  { method: 'fdb', parameters: {} },
  { method: 'signum-rc', parameters: { second_plane: 0.3 } },
])

const kinds = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj']
function modelOf(shapes: readonly (readonly [number, number])[], layers: number): Measures {
  const linears = Array.from({ length: layers }, (_, layer) =>
    shapes.map(([rows, columns], i) => {
      const kind = kinds[i]!
      return { name: `model.layers.${layer}.x.${kind}`, layer, kind, rows, columns, dtype: 'F16' }
    }),
  ).flat()
  const weights = linears.reduce((sum, { rows, columns }) => sum + rows * columns, 0)
  return { parameters: weights + 1000, dtype: 'F16', linears }
}

/** Errors that fall with the bytes, more or less; sensitivities that lie far apart. */
function measuredOf(model: Measures, candidates: LinearRecipe[], numbers: () => number): Measured {
  const linears = model.linears.map(({ name }) => ({
    name,
    sensitivity: 10 ** (4 * numbers() - 4),
    errors: candidates.map((_, i) => (1 + numbers()) / (i + 1)),
  }))
  return { candidates, linears, tokens: 1, probe_tokens: 1, seconds: 1, measured_at: 0 }
}

const anyShape = fc.tuple(fc.integer({ min: 1, max: 900 }), fc.integer({ min: 1, max: 900 }))
const anyCase = fc.record({
  shapes: fc.array(anyShape, { minLength: 1, maxLength: 7 }),
  layers: fc.integer({ min: 1, max: 3 }),
  candidates: fc.constantFrom(usual, every),
  numbers: fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
  by: fc.constantFrom(...budgetKinds),
  share: fc.double({ min: -0.05, max: 1.1, noNaN: true }),
  note: fc.constantFrom<CalibrationNote | null>(null, {
    tokens: 300_000,
    sampling: 'random',
    sequences: 128,
    length: 2048,
    seed: 7,
  }),
})

test('1,000 random models, tables and budgets: never over the cap, never worse than all linears alike', () => {
  let within = 0
  fc.assert(
    fc.property(anyCase, ({ shapes, layers, candidates, numbers, by, share, note }) => {
      const model = modelOf(shapes, layers)
      const stream = numbers[Symbol.iterator]()
      const measured = measuredOf(model, candidates, () => stream.next().value as number)
      const worst = (treatment: Parameters<typeof forecast>[0]) => {
        const { most } = forecast(treatment, model, note)
        return by === 'linear' ? most.linear : most.fileBytes
      }
      const alike = candidates.map((recipe) => worst({ ...recipe, overrides: [] }))
      const [least, most] = [Math.min(...alike), Math.max(...alike)]
      const value = Math.max(0.001, least + share * (most - least))
      const planned = planOf(measured, model, { by, value }, { overrides: [] }, note)
      if (!planned.ok) {
        expect(planned.problem.code).toBe('budget_too_small')
        expect(value).toBeLessThan(least)
        return
      }
      within++
      const { treatment, plan } = planned.value
      expect(worst(treatment)).toBeLessThanOrEqual(value)
      expect(plan.unused).toBeGreaterThanOrEqual(0)
      const recipes = linearRecipes(
        treatment,
        model.linears.map(({ name }) => name),
      )
      let loss = 0
      for (const { name, candidate } of plan.choices) {
        const row = measured.linears.find((one) => one.name === name)!
        expect(recipes.get(name)).toEqual(candidates[candidate!])
        loss += row.sensitivity * row.errors[candidate!]! ** 2
      }
      expect(plan.loss).toBeCloseTo(loss, 9)
      for (const [i, size] of alike.entries()) {
        if (size > value) continue
        const its = measured.linears.reduce((sum, row) => sum + row.sensitivity * row.errors[i]! ** 2, 0)
        expect(plan.loss).toBeLessThanOrEqual(its * (1 + 1e-12))
      }
    }),
    { numRuns: 1000 },
  )
  expect(within).toBeGreaterThan(500)
}, 120_000)

describe('a model of two layers', () => {
  const model = modelOf(
    [
      [64, 64],
      [32, 64],
      [32, 64],
      [64, 64],
      [192, 64],
      [192, 64],
      [64, 192],
    ],
    2,
  )
  let state = 1
  const numbers = () => (state = (state * 16807) % 2147483647) / 2147483647
  const measured = measuredOf(model, usual, numbers)

  test('a budget that nothing meets says what the least is', () => {
    const planned = planOf(measured, model, { by: 'linear', value: 1 })
    if (planned.ok) throw new Error('it fits')
    expect(planned.problem.code).toBe('budget_too_small')
    expect(planned.problem.message).toMatch(
      /^The least that these candidates can reach on this model is \d\.\d\d linear bits per weight, .* of files; the budget is 1\.00 linear bits per weight\.$/,
    )
  })

  test('what is left is less than any step would take, and is told', () => {
    const planned = planOf(measured, model, { by: 'linear', value: 2.25 })
    if (!planned.ok) throw new Error(planned.problem.message)
    const { plan, treatment } = planned.value
    const weights = model.linears.reduce((sum, { rows, columns }) => sum + rows * columns, 0)
    expect(plan.unused).toBe(Math.floor((2.25 * weights) / 8) - plan.sizes.linear_bytes)
    expect(plan.sizes.linear_bytes).toBe(forecast(treatment, model).most.linearBytes)
    expect(plan.uniform!.loss).toBeGreaterThan(plan.loss)
    expect(plan.lambda).toBeGreaterThan(0)
  })

  test("a person's overrides come first, and have their part of the budget", () => {
    const overrides: Override[] = [{ match: 'down_proj', keep: true }]
    const planned = planOf(measured, model, { by: 'linear', value: 5.5 }, { overrides })
    if (!planned.ok) throw new Error(planned.problem.message)
    const { plan, treatment } = planned.value
    expect(treatment.overrides[0]).toEqual(overrides[0])
    expect(forecast(treatment, model).most.linear).toBeLessThanOrEqual(5.5)
    expect(plan.choices.filter(({ candidate }) => candidate === null).map(({ name }) => name)).toEqual([
      'model.layers.0.x.down_proj',
      'model.layers.1.x.down_proj',
    ])
    expect(plan.choices.find(({ name }) => name.endsWith('0.x.down_proj'))).toMatchObject({
      bytes: 64 * 192 * 2,
      error: null,
    })
  })

  test('a larger budget never loses more', () => {
    const curve = lossCurve(measured, model, { overrides: [] })
    expect(curve).toHaveLength(33)
    expect(curve.at(-1)!.loss).toBeLessThan(curve[0]!.loss / 10)
    for (const [i, { linear }] of curve.entries())
      if (i > 0) expect(linear).toBeGreaterThanOrEqual(curve[i - 1]!.linear)
  })
})

test('patterns match exactly the names that they are made of', () => {
  const all = modelOf(
    kinds.map(() => [1, 1] as const),
    24,
  ).linears.map(({ name }) => name)
  fc.assert(
    fc.property(fc.uniqueArray(fc.constantFrom(...all, 'model', 'model.layers', 'x'), { minLength: 1 }), (names) => {
      const patterns = patternsFor(names).map((one) => new RegExp(one))
      const every = [...all, 'model', 'model.layers', 'x', 'model.layers.1', '']
      expect(every.filter((one) => patterns.some((pattern) => pattern.test(one))).toSorted()).toEqual(names.toSorted())
    }),
  )
  const many = Array.from({ length: 2000 }, (_, i) => `model.layers.${i}.self_attn.q_proj`)
  const patterns = patternsFor(many)
  expect(patterns.length).toBeGreaterThan(1)
  for (const pattern of patterns) expect(pattern.length).toBeLessThan(20_000)
  expect(many.every((name) => patterns.some((one) => new RegExp(one).test(name)))).toBe(true)
})
