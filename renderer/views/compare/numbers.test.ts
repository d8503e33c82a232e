import { expect, test } from 'vitest'
import type { LayerReport } from '../../../electron/contract/records.ts'
import { columnsOf } from './column.ts'
import { linearNumbers, runNumbers } from './numbers.ts'
import { perplexity, row } from './testing/run.ts'
import { textsOf } from './text.ts'

const report = (changes: Partial<LayerReport>): LayerReport => ({
  name: 'l.0.q',
  layer: 0,
  method: 'gptq',
  kind: 'q_proj',
  rows: 10,
  columns: 10,
  nominal_bits: 2,
  linear_bits: 2.25,
  bytes: 1000,
  relative_weight_error: 0.2,
  relative_output_error: 0.1,
  salient_columns: null,
  plane1_sparsity: null,
  plane2_sparsity: null,
  seconds: 1,
  ...changes,
})

test('two runs: the second against the first, perplexities only on the same tokens', () => {
  const left = row({ id: 1, metrics: [perplexity('packed', 20)], peak_resident_bytes: null })
  const right = row({
    id: 2,
    file_bytes: 1_000_000,
    linear_bits: 3,
    metrics: [perplexity('packed', 15, { sha256: 'bb' })],
    peak_resident_bytes: null,
  })
  const numbers = runNumbers(columnsOf([left, right], textsOf([left, right])), left, right)
  expect(numbers.map(({ name, left, right, delta }) => [name, left, right, delta?.text])).toEqual([
    ['File size', '2.00 MB', '1.00 MB', '\u221250.0 %'],
    ['Linear bits', '2.25', '3.00', '+0.75'],
    ['evaluation-stories', '20.00 ± 1.50', '15.00 ± 1.50', undefined],
    ['Nominal bits', '2.00', '2.00', '='],
    ['File bits', '4.50', '4.50', '='],
    ['Linears', '1.00 MB', '1.00 MB', '='],
    ['Time', '10 s', '10 s', '='],
  ])
})

test('one linear in two runs', () => {
  const numbers = linearNumbers(report({}), report({ relative_output_error: 0.15, bytes: 1500, linear_bits: 3 }))
  expect(numbers.map(({ left, right, delta }) => [left, right, delta?.text])).toEqual([
    ['0.1000', '0.1500', '+0.0500'],
    ['0.2000', '0.2000', '='],
    ['2.25', '3.00', '+0.75'],
    ['1.00 kB', '1.50 kB', '+50.0 %'],
  ])
  expect(linearNumbers(report({}), undefined)).toEqual([])
})
