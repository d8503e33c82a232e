import { expect, it } from 'vitest'
import { layerReportSchema, type LayerReport } from '../../electron/contract/records.ts'
import { factsOf, layerNumbers, numbersOf } from './layer-number.ts'

const report = (changes: Partial<LayerReport> = {}): LayerReport =>
  layerReportSchema.parse({
    name: 'model.layers.0.mlp.up_proj',
    layer: 0,
    kind: 'up_proj',
    rows: 64,
    columns: 32,
    nominal_bits: 1.25,
    linear_bits: 1.5,
    bytes: 384,
    relative_weight_error: 0.5,
    relative_output_error: null,
    salient_columns: null,
    seconds: 0.25,
    ...changes,
  })

it('offers what at least one linear has', () => {
  const ids = (reports: LayerReport[]) => numbersOf(layerNumbers, reports).map(({ id }) => id)
  expect(ids([report()])).toEqual(['weight_error', 'nominal_bits', 'linear_bits', 'bytes', 'seconds'])
  expect(ids([report(), report({ relative_output_error: 0.1, salient_columns: 4 })])).toContain('salient')
  expect(ids([])).toEqual([])
})

it('says everything that is known, with units', () => {
  expect(factsOf(layerNumbers, report({ salient_columns: 4 }))).toEqual([
    { name: 'relative weight error', value: '0.5000' },
    { name: 'salient columns', value: '12.50 %' },
    { name: 'nominal bits', value: '1.25' },
    { name: 'linear bits', value: '1.50' },
    { name: 'bytes', value: '384 bytes' },
    { name: 'time', value: '250 ms' },
  ])
})
