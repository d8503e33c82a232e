// What was measured of every linear, as a table for a spreadsheet. Pure.
import type { LayerReport } from '../../../electron/contract/records.ts'
import type { Table } from '../../drawing/csv.ts'

const columns = [
  'name',
  'method',
  'layer',
  'kind',
  'rows',
  'columns',
  'nominal_bits',
  'linear_bits',
  'bytes',
  'relative_weight_error',
  'relative_output_error',
  'salient_columns',
  'plane1_sparsity',
  'plane2_sparsity',
  'seconds',
] as const satisfies (keyof LayerReport)[]

export const layersTable = (reports: readonly LayerReport[]): Table => ({
  columns,
  rows: reports.map((report) => columns.map((column) => report[column])),
})
