// A budget is a cap: whatever the weights turn out to be, the recipe that it chooses stays within it.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { budgetKinds, pickPoint, worstOf } from '../contract/curve.ts'
import { methodIds } from '../contract/methods.ts'
import { curveOf } from './curve.ts'
import { sized, type CalibrationNote, type Measures } from './forecast.ts'

const models = 125
const budgetsEach = 8

/** One or two layers of any shapes, a table, norms. */
const anyModel = fc
  .tuple(
    fc.array(fc.tuple(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 3000 })), {
      minLength: 1,
      maxLength: 3,
    }),
    fc.integer({ min: 1, max: 2 }),
    fc.constantFrom('F16', 'BF16', 'F32'),
  )
  .map(([shapes, layers, dtype]): Measures => {
    const linears = Array.from({ length: layers }, (_, layer) =>
      shapes.map(([rows, columns], i) => {
        const kind = ['q_proj', 'k_proj', 'down_proj'][i]!
        return { name: `model.layers.${layer}.${kind}`, layer, kind, rows, columns, dtype }
      }),
    ).flat()
    const tensors = [
      { name: 'model.embed_tokens.weight', layer: layers, dtype, shape: [100, shapes[0]![1]] },
      ...linears.map(({ layer, kind, rows }) => {
        return { name: `model.layers.${layer}.${kind}.bias`, layer, dtype: 'F32', shape: [rows] }
      }),
    ]
    const weights = linears.reduce((total, { rows, columns }) => total + rows * columns, 0)
    return { parameters: weights + 100 * shapes[0]![1], dtype, linears, tensors, copied: ['config.json'], files: [] }
  })

const anyBudget = fc.record({
  by: fc.constantFrom(...budgetKinds),
  share: fc.double({ min: 0, max: 1.1, noNaN: true }),
})
const anyNote: fc.Arbitrary<CalibrationNote | null> = fc.option(
  fc.record({
    tokens: fc.integer({ min: 1, max: 2 ** 31 }),
    sampling: fc.constantFrom('sequential', 'random', 'documents'),
    sequences: fc.integer({ min: 1, max: 4096 }),
    length: fc.integer({ min: 2, max: 4096 }),
    seed: fc.nat(),
  }),
)

test.each(methodIds)('%s: 1,000 budgets of any model are kept', (id) => {
  let tried = 0
  const anyBudgets = fc.array(anyBudget, { minLength: budgetsEach, maxLength: budgetsEach })
  fc.assert(
    fc.property(anyModel, anyBudgets, anyNote, (model, budgets, note) => {
      const curve = curveOf(id, {}, model)
      for (const { by, share } of budgets) {
        const sizes = curve.points.map((point) => worstOf(point, by))
        const value = Math.min(...sizes) + share * (Math.max(...sizes) - Math.min(...sizes))
        const { point, reach } = pickPoint(curve, { by, value })!
        expect(reach).not.toBe('over')
        // As many salient columns as the search can mark in every block.
        const all = (columns: number): number => {
          const { blocksize = 1, max_salient: bound = 0 } = point.parameters as Record<string, number>
          let count = 0
          for (let at = 0; at < columns; at += blocksize)
            count += Math.max(1, Math.min(bound, blocksize, columns - at) - 1)
          return count
        }
        const treatment = { method: id, parameters: point.parameters, overrides: [] }
        const { sizes: worst } = sized(treatment, model, (_, { columns }) => all(columns), note)
        expect(by === 'linear' ? worst.linear : worst.fileBytes).toBeLessThanOrEqual(value)
        tried++
      }
    }),
    { numRuns: models },
  )
  expect(tried).toBe(1000)
})
