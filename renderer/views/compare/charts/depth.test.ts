import { expect, test } from 'vitest'
import type { LayerReport } from '../../../../electron/contract/records.ts'
import { everyKind, kindsOf, overlay, shownAs } from './depth.ts'

const report = (layer: number, kind: string, error: number | null, rows = 1): LayerReport => ({
  name: `${layer}.${kind}`,
  method: null,
  layer,
  kind,
  rows,
  columns: 1,
  nominal_bits: 1,
  linear_bits: 1,
  bytes: 1,
  relative_weight_error: 0.5,
  relative_output_error: error,
  salient_columns: null,
  plane1_sparsity: null,
  plane2_sparsity: null,
  seconds: null,
})
const first = {
  id: 1,
  name: 'first',
  reports: [report(0, 'q_proj', 0.1), report(0, 'down_proj', 0.4, 3), report(1, 'q_proj', 0.2)],
}
const second = { id: 2, name: 'second', reports: [report(0, 'q_proj', 0.2), report(1, 'q_proj', null)] }
const wanted = { measure: 'relative_output_error', kind: everyKind, against: null } as const

test('one line a run, of all linears by their weights or of one kind', () => {
  const [one, other] = overlay([first, second], wanted)
  expect(one!.points.map(([layer, value]) => [layer, Number(value.toFixed(4))])).toEqual([
    [0, 0.325],
    [1, 0.2],
  ])
  expect(other!.points).toEqual([[0, 0.2]])
  expect(one!.symbol).not.toBe(other!.symbol)
  expect(overlay([first], { ...wanted, kind: 'down_proj' })[0]!.points).toEqual([[0, expect.closeTo(0.4)]])
  expect(kindsOf([second, first])).toEqual(['q_proj', 'down_proj'])
})

test('against a run: in percent of it, at the layers that both have, without its own line', () => {
  const lines = overlay([first, second], { ...wanted, kind: 'q_proj', against: first })
  expect(lines.map(({ name, points }) => [name, points])).toEqual([['second', [[0, 100]]]])
  expect([12.34, -5, 250].map(shownAs('relative_output_error', first).text)).toEqual([
    '+12.3 %',
    '\u22125.0 %',
    '+250 %',
  ])
})
