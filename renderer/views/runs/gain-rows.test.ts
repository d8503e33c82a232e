import { expect, it } from 'vitest'
import { layerReportSchema } from '../../../electron/contract/records.ts'
import { gainNumbers, gainRows, milli, unitFor } from './gain-rows.ts'

const report = (name: string) =>
  layerReportSchema.parse({
    name,
    layer: 0,
    kind: 'q_proj',
    rows: 100,
    columns: 80,
    nominal_bits: 1,
    linear_bits: 1.5,
    bytes: 1500,
    relative_weight_error: 0.5,
    relative_output_error: 0.3,
    salient_columns: null,
    seconds: 0.25,
  })
const reports = ['a', 'b', 'c'].map(report)
const gain = (name: string, saved: number, bytes: number) => ({
  name,
  sensitivity: 0.5,
  error: 0.3,
  bytes: 1500,
  loss: 0.04,
  next: saved === 0 ? null : { candidate: 0, bytes, saved, error: 0.1 },
})
const known = {
  candidates: [{ method: 'gptq' as const, parameters: { bits: 4 } }],
  linears: [gain('a', 0.01, 2000), gain('b', 0.02, 1000), gain('c', 0, 0)],
  measured_at: 0,
}
const unit = unitFor(1e6)

it('ranks by what is saved per byte, and leaves out what has nothing to gain', () => {
  const rows = gainRows(known, reports, unit)
  expect(
    rows.map(({ name, rateText, saved, cost, moreBits, share }) => [name, rateText, saved, cost, moreBits, share]),
  ).toEqual([
    ['b', '20.00', '20.00', '1.00 kB', '1.00', 0.5],
    ['a', '5.00', '10.00', '2.00 kB', '2.00', 0.25],
  ])
  expect(rows[0]!.recipe).toMatch(/^gptq bits=4/)
})

it('has numbers for the map, of every linear that was measured', () => {
  const values = gainNumbers(known, unit).map(({ id, of }) => [id, ...reports.map(of)])
  expect(values).toEqual([
    ['gain', 5, 20, 0],
    ['saved', 10, 20, 0],
    ['loss', 40, 40, 40],
    ['sensitivity', 0.5, 0.5, 0.5],
  ])
  expect(gainNumbers(known, unit)[0]!.of(report('other'))).toBeNull()
})

it('writes small losses so that they can be read', () => {
  expect([0, 0.00000001, 0.00004, 0.0123].map(milli)).toEqual(['0.000', '1.0e-5', '0.040', '12.30'])
})
