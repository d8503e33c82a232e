import { expect, it } from 'vitest'
import { layerReportSchema } from '../../../electron/contract/records.ts'
import { numberFor, recipeSorts } from './linear-numbers.ts'

const report = (output: number | null) =>
  layerReportSchema.parse({
    name: 'a',
    layer: 0,
    kind: 'q_proj',
    rows: 8,
    columns: 8,
    nominal_bits: 1,
    linear_bits: 1.5,
    bytes: 12,
    relative_weight_error: 0.5,
    relative_output_error: output,
    salient_columns: null,
    seconds: 0.25,
  })

it('shows what was chosen where there is such a number, else the error that there is', () => {
  expect(numberFor([report(0.1)], null).id).toBe('output_error')
  expect(numberFor([report(null)], null).id).toBe('weight_error')
  expect(numberFor([report(0.1)], 'linear_bits').id).toBe('linear_bits')
  expect(numberFor([report(0.1)], 'salient').id).toBe('output_error')
})

it('tells linears of different recipes apart, and only those', () => {
  const names = ['layers.0.q', 'layers.0.k', 'layers.1.q']
  const usual = { method: 'rtn' as const, parameters: { bits: 2 } }
  expect(recipeSorts({ ...usual, overrides: [] }, names)).toBeNull()
  const sorts = recipeSorts({ ...usual, overrides: [{ match: '\\.k$', keep: true }] }, names)!
  expect([...sorts.values()].map(({ name }) => name)).toEqual(['rtn', 'kept', 'rtn'])
  expect(sorts.get('layers.0.q')?.colour).toBe(sorts.get('layers.1.q')?.colour)
  expect(sorts.get('layers.0.q')?.colour).not.toBe(sorts.get('layers.0.k')?.colour)
  // One that changes nothing.
  expect(recipeSorts({ ...usual, overrides: [{ match: 'q', parameters: { bits: 2 } }] }, ['layers.0.q'])).toBeNull()
})
