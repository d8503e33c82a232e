// The numbers of trials side by side: which is best, and how far each is from the first. Pure.
import { bits, size, spent } from '../../../electron/contract/quantities.ts'
import type { LayerReport } from '../../../electron/contract/records.ts'

export type TrialNumber = {
  id: string
  name: string
  title: string
  of: (report: LayerReport) => number | null
  text: (value: number) => string
  /** Against the first trial: as a share, or as a difference. */
  delta: 'share' | 'difference'
}

const error = (value: number) => value.toFixed(4)

/** Of every one less is better. */
export const trialNumbers: readonly TrialNumber[] = [
  {
    id: 'output_error',
    name: 'Output error',
    title: 'Relative error of the outputs on the inputs of the calibration text',
    of: (report) => report.relative_output_error,
    text: error,
    delta: 'share',
  },
  {
    id: 'weight_error',
    name: 'Weight error',
    title: 'Relative error of the weights, every one counting the same',
    of: (report) => report.relative_weight_error,
    text: error,
    delta: 'share',
  },
  {
    id: 'nominal_bits',
    name: 'Nominal bits',
    title: 'As papers count: signs and codes, without scales and bitmaps',
    of: (report) => report.nominal_bits,
    text: bits,
    delta: 'difference',
  },
  {
    id: 'linear_bits',
    name: 'Linear bits',
    title: 'Everything stored for this linear. File bits are those of a whole model: one linear has none.',
    of: (report) => report.linear_bits,
    text: bits,
    delta: 'difference',
  },
  {
    id: 'bytes',
    name: 'Size',
    title: 'What is stored for this linear',
    of: (report) => report.bytes,
    text: (value) => size(Math.round(value)),
    delta: 'share',
  },
  {
    id: 'seconds',
    name: 'Time',
    title: 'What quantizing this linear took, here and now',
    of: (report) => report.seconds,
    text: spent,
    delta: 'share',
  },
]

export type NumberRow = {
  id: string
  name: string
  title: string
  text: string
  /** Against the first trial; '' for itself, and where there is nothing to compare. */
  delta: string
  better: boolean | null
  best: boolean
}

const minus = (text: string) => text.replace('-', '−')

/** What is equal as it is written is equal. */
function deltaText({ delta, text }: TrialNumber, value: number, first: number): string {
  if (text(value) === text(first)) return '='
  if (delta === 'difference') return minus(`${value > first ? '+' : ''}${(value - first).toFixed(2)}`)
  if (first === 0) return ''
  // Many hundred per cent are read as so many times.
  if (value >= 3 * first) return `×${(value / first).toFixed(value < 10 * first ? 1 : 0)}`
  const percent = 100 * (value / first - 1)
  return minus(`${percent > 0 ? '+' : ''}${percent.toFixed(Math.abs(percent) < 9.95 ? 1 : 0)} %`)
}

/** By trial; null where a trial has no report yet. */
export function compared(reports: readonly (LayerReport | null)[]): (NumberRow[] | null)[] {
  const first = reports[0] ?? null
  return reports.map((report, k) => {
    if (report === null) return null
    return trialNumbers.map((number): NumberRow => {
      const { id, name, title, of, text } = number
      const value = of(report)
      const reference = first && of(first)
      const others = reports.flatMap((one) => (one === null ? [] : (of(one) ?? [])))
      const told = new Set(others.map(text))
      const comparable = k > 0 && value !== null && reference !== null
      return {
        id,
        name,
        title,
        text: value === null ? '–' : text(value),
        delta: comparable ? deltaText(number, value, reference) : '',
        better: comparable && text(value) !== text(reference) ? value < reference : null,
        // Where all are alike, none is best.
        best: value !== null && told.size > 1 && text(value) === text(Math.min(...others)),
      }
    })
  })
}
