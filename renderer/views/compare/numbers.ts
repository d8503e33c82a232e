// Two runs in numbers, one row a number; the second is measured against the first.
import { bits, size } from '../../../electron/contract/quantities.ts'
import type { LayerReport } from '../../../electron/contract/records.ts'
import { errorText, nothing, type Column } from './column.ts'
import { delta, type Delta } from './deltas.ts'
import type { Row } from './row.ts'

export type NumberRow = { name: string; help: string; left: string; right: string; delta: Delta | null }

export function columnDelta({ delta: how, value }: Column, row: Row, base: Row): Delta | null {
  if (!how || how.comparable?.(row, base) === false) return null
  return delta(value(row) as number | null, value(base) as number | null, how.kind, how.digits, how.more)
}

export const runNumbers = (columns: readonly Column[], left: Row, right: Row): NumberRow[] =>
  columns
    .filter((column) => column.delta && (column.value(left) !== null || column.value(right) !== null))
    .map((column) => ({
      name: column.title,
      help: column.help,
      left: column.text(left),
      right: column.text(right),
      delta: columnDelta(column, right, left),
    }))

const errors = (name: string, help: string, left: number | null, right: number | null): NumberRow => ({
  name,
  help,
  left: left === null ? nothing : errorText(left),
  right: right === null ? nothing : errorText(right),
  delta: delta(right, left, 'absolute', 4),
})

export function linearNumbers(left: LayerReport | undefined, right: LayerReport | undefined): NumberRow[] {
  if (!left || !right) return []
  return [
    errors(
      'Output error',
      "Relative error of the linear's output on the calibration text",
      left.relative_output_error,
      right.relative_output_error,
    ),
    errors(
      'Weight error',
      "Relative error of the linear's weights",
      left.relative_weight_error,
      right.relative_weight_error,
    ),
    {
      name: 'Linear bits',
      help: 'Everything stored for this linear, per weight',
      left: bits(left.linear_bits),
      right: bits(right.linear_bits),
      delta: delta(right.linear_bits, left.linear_bits, 'absolute'),
    },
    {
      name: 'Size',
      help: 'Bytes stored for this linear',
      left: size(left.bytes),
      right: size(right.bytes),
      delta: delta(right.bytes, left.bytes, 'relative'),
    },
  ]
}
