import { expect, test } from 'vitest'
import { findMethod, resolveParameters, type MethodId, type Parameters } from '../contract/methods.ts'
import { forecast, inputOf, type Measures } from './forecast.ts'
import { linearCost, sum } from './linear.ts'

function parametersOf(id: MethodId, changes: Parameters = {}): Parameters {
  const method = findMethod(id)
  const resolved = method.ok ? resolveParameters(method.value, changes) : method
  if (!resolved.ok) throw new Error(resolved.problem.message)
  return resolved.value
}

const recipeOf = (method: MethodId, changes: Parameters = {}) => ({
  method,
  parameters: parametersOf(method, changes),
  overrides: [],
})

const shapes = { q_proj: [256, 256], k_proj: [128, 256], v_proj: [128, 256], o_proj: [256, 256] } as const
const mlp = { gate_proj: [768, 256], up_proj: [768, 256], down_proj: [256, 768] } as const
const linears = [0, 1].flatMap((layer) =>
  Object.entries({ ...shapes, ...mlp }).map(([kind, [rows, columns]]) => ({
    name: `model.layers.${layer}.${kind}`,
    layer,
    kind,
    rows,
    columns,
  })),
)
const weights = linears.reduce((total, { rows, columns }) => total + rows * columns, 0)
const model: Measures = { parameters: weights + 100_000, dtype: 'F16', linears }

test('linears with one input share one order', () => {
  expect(new Set(linears.filter(({ layer }) => layer === 0).map(inputOf)).size).toBe(4)
  const { parts } = forecast(recipeOf('signum-rc'), model)
  expect(parts.order).toBe(2 * 2 * (256 + 256 + 256 + 768))
})

test('the sum over the linears, and the rest of the model as it is', () => {
  const parameters = parametersOf('gptq')
  const { expected, most, parts } = forecast({ method: 'gptq', parameters, overrides: [] }, model)
  const bytes = linears.reduce((total, shape) => total + sum(linearCost('gptq', parameters, shape, 0).bytes), 0)
  expect(expected.linearBytes).toBe(bytes)
  expect(parts.embeddings + parts.rest).toBe(200_000)
  expect(expected.linear).toBeCloseTo((8 * bytes) / weights, 9)
  expect(expected.nominal).toBe(2)
  expect(expected.fileBytes).toBeGreaterThan(bytes + 200_000)
  expect(most).toEqual(expected)
})

test('arb-rc: what the weights decide is a range', () => {
  const { expected, most } = forecast(recipeOf('arb-rc'), model)
  expect(most.linearBytes).toBeGreaterThan(expected.linearBytes)
  expect(most.nominal).toBeGreaterThan(expected.nominal)
  expect(expected.nominal).toBeCloseTo(1.09, 2)
})

test('F32 scales cost twice the F16 ones', () => {
  const of = (scale_type: string) => forecast(recipeOf('billm', { scale_type }), model).parts.scales
  expect(of('f32')).toBe(2 * of('f16'))
  expect(of('bf16')).toBe(of('f16'))
})
