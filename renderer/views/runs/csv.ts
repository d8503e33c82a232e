// What was measured of every linear, for a spreadsheet. Pure.
import type { LayerReport } from '../../../electron/contract/records.ts'

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

/** A field that is not there is empty. */
export function layersCsv(reports: readonly LayerReport[]): string {
  const rows = reports.map((report) => columns.map((column) => field(report[column])))
  return [columns, ...rows].map((row) => `${row.join(',')}\r\n`).join('')
}

const field = (value: string | number | null): string => {
  const text = String(value ?? '')
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
