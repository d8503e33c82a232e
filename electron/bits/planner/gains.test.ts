import { expect, test } from 'vitest'
import { resolveCandidates, type Measured } from '../../contract/plan.ts'
import type { LinearRecipe } from '../../contract/overrides.ts'
import type { Measures } from '../forecast.ts'
import { itemsOf } from './linears.ts'
import { gainsOf, type Made } from './gains.ts'

const resolved = resolveCandidates([
  { method: 'rtn', parameters: { bits: 2 } },
  { method: 'rtn', parameters: { bits: 3 } },
  { method: 'rtn', parameters: { bits: 4 } },
])
const candidates: LinearRecipe[] = resolved.ok ? resolved.value : []
const names = ['model.layers.0.a.q_proj', 'model.layers.0.a.k_proj', 'model.layers.1.a.q_proj']
const model: Measures = {
  parameters: 100_000,
  dtype: 'F16',
  linears: names.map((name, k) => ({
    name,
    layer: Number(name.includes('.1.')),
    kind: k === 1 ? 'k_proj' : 'q_proj',
    rows: 64,
    columns: 256,
    dtype: 'F16',
  })),
}
const measured: Measured = {
  candidates,
  linears: [
    { name: names[0]!, sensitivity: 1, errors: [0.4, 0.2, 0.1] },
    // The second step saves more per byte than the first.
    { name: names[1]!, sensitivity: 2, errors: [0.4, 0.39, 0.1] },
    { name: names[2]!, sensitivity: 4, errors: [0.4, 0.2, 0.1] },
  ],
  tokens: 1,
  probe_tokens: 1,
  seconds: 1,
  measured_at: 0,
}
const bytes = itemsOf(measured, model, [])
  .flat()[0]!
  .options.map((option) => option.bytes)
const made = (recipe: LinearRecipe | null, error: number | null = 0.9, size = 1): Made => ({
  recipe,
  bytes: size,
  error,
})

test('takes the measured step that saves most per byte', () => {
  const gains = gainsOf(measured, model, new Map(names.map((name) => [name, made(candidates[0]!)])))
  expect(gains.map(({ name, next }) => [name, next?.candidate])).toEqual([
    [names[0], 1],
    [names[1], 2],
    [names[2], 1],
  ])
  expect(gains[0]).toMatchObject({ error: 0.4, bytes: bytes[0] })
  expect(gains[0]!.loss).toBeCloseTo(0.16)
  expect(gains[0]!.next!.bytes).toBe(bytes[1]! - bytes[0]!)
  expect(gains[0]!.next!.saved).toBeCloseTo(0.16 - 0.04)
  expect(gains[2]!.next!.saved).toBeCloseTo(4 * (0.16 - 0.04))
})

test('begins at what the run came to where its recipe was not measured', () => {
  const other: LinearRecipe = { method: 'billm', parameters: {} }
  const [gain] = gainsOf(measured, model, new Map([[names[0]!, made(other, 0.3, bytes[0]! + 10)]]))
  expect(gain).toMatchObject({ error: 0.3, bytes: bytes[0]! + 10, next: { candidate: 1 } })
  expect(gain!.loss).toBeCloseTo(0.09)
})

test('has nothing to gain at the best candidate, or where a linear is kept', () => {
  const at = (recipe: LinearRecipe | null) => gainsOf(measured, model, new Map([[names[0]!, made(recipe, 0, 9e9)]]))
  expect(at(candidates[2]!)).toMatchObject([{ error: 0.1, next: null }])
  expect(at(null)).toMatchObject([{ error: 0, loss: 0, next: null }])
  expect(gainsOf(measured, model, new Map())).toEqual([])
  const unknown: LinearRecipe = { method: 'billm', parameters: {} }
  expect(gainsOf(measured, model, new Map([[names[0]!, made(unknown, null)]]))).toEqual([])
})
