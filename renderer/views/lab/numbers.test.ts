import { expect, it } from 'vitest'
import { layerReportSchema, type LayerReport } from '../../../electron/contract/records.ts'
import { compared } from './numbers.ts'

const report = (changes: Partial<LayerReport>) =>
  layerReportSchema.parse({
    name: 'a',
    layer: 0,
    kind: 'q_proj',
    rows: 8,
    columns: 8,
    nominal_bits: 1,
    linear_bits: 1.5,
    bytes: 1000,
    relative_weight_error: 0.5,
    relative_output_error: 0.2,
    salient_columns: null,
    seconds: 0.25,
    ...changes,
  })
const row = (rows: ReturnType<typeof compared>, trial: number, id: string) => rows[trial]!.find((one) => one.id === id)!

it('marks the least of each number, and none where all are alike', () => {
  const rows = compared([report({}), report({ relative_output_error: 0.1, bytes: 2000 }), null])
  expect(row(rows, 1, 'output_error')).toMatchObject({ text: '0.1000', best: true, delta: '−50 %', better: true })
  expect(row(rows, 0, 'output_error')).toMatchObject({ best: false, delta: '', better: null })
  expect(row(rows, 0, 'bytes')).toMatchObject({ text: '1.00 kB', best: true })
  expect(row(rows, 1, 'bytes')).toMatchObject({ delta: '+100 %', better: false })
  expect(rows.slice(0, 2).map((_, k) => row(rows, k, 'nominal_bits').best)).toEqual([false, false])
  expect(rows[2]).toBeNull()
  const slow = compared([report({ seconds: 0.01 }), report({ seconds: 0.2 }), report({ seconds: 0.045 })])
  expect([1, 2].map((k) => row(slow, k, 'seconds').delta)).toEqual(['×20', '×4.5'])
})

it('says bits as differences, and what reads the same as equal', () => {
  const rows = compared([report({}), report({ linear_bits: 1.75, nominal_bits: 1.001 })])
  expect(row(rows, 1, 'linear_bits')).toMatchObject({ delta: '+0.25', better: false })
  expect(row(rows, 1, 'nominal_bits')).toMatchObject({ delta: '=', better: null })
})

it('has no output error without a text', () => {
  const rows = compared([report({ relative_output_error: null }), report({ relative_output_error: null })])
  expect(row(rows, 1, 'output_error')).toMatchObject({ text: '–', delta: '', best: false })
})

it('compares with the first even while the first is at work', () => {
  const rows = compared([null, report({})])
  expect(row(rows, 1, 'bytes')).toMatchObject({ delta: '', best: false })
})
