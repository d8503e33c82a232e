// The results sheet of a finished run, as Markdown to paste: sizes, perplexity, distance from the original and speed, against the
// original and against other runs of the same model whose files are about as large. Made of the history alone.
import path from 'node:path'
import type { Answer, Ending, Request } from '../contract/api.ts'
import { failure, type Problem } from '../contract/errors.ts'
import type { MetricRow, RunDetails, RunSummary } from '../contract/history.ts'
import { effectText } from '../contract/override-text.ts'
import { chosenTables, tableTitles, tableWords } from '../contract/tables.ts'
import { withError } from '../contract/metric-words.ts'
import { amount, bits, count, divergence, percent, perplexity, size } from '../contract/quantities.ts'
import { bundledPrefix } from '../contract/recipe.ts'
import { refused, type Context } from './context.ts'
import { listRuns, showRun } from './history.ts'

/** Files are of similar size where they differ by no more than this share of the run's own. */
const similar = 0.1

export async function sheet(context: Context, { id }: Request<'sheet'>): Promise<Ending<Answer<'sheet'>>> {
  const run = await showRun(context, id)
  if (run.kind !== 'finished') return run
  const unfinished = checkFinished(run.value)
  if (unfinished) return refused(unfinished)
  const runs = await listRuns(context)
  if (runs.kind !== 'finished') return runs
  return { kind: 'finished', value: { markdown: sheetText(run.value, runs.value) } }
}

const checkFinished = ({ id, status }: RunDetails): Problem | null =>
  status === 'finished'
    ? null
    : failure('run_unknown', `Run ${id} has no results: it is ${status}, not finished.`).problem

/** `runs`: all of them; those that the run can be held against are found here. */
export function sheetText(run: RunDetails, runs: readonly RunSummary[]): string {
  const others = similarRuns(run, runs)
  const texts = run.metrics.filter(({ name, subject }) => name === 'perplexity' && subject === 'packed')
  const parts = [`# ${run.name}`, head(run), sizes(run), ...texts.map((one) => onText(run, one, others))]
  if (texts.length === 0) parts.push('Nothing was measured.')
  return `${parts.join('\n\n')}\n`
}

export function similarRuns(run: RunDetails, runs: readonly RunSummary[]): RunSummary[] {
  const bytes = run.file_bytes
  if (bytes === null || run.model_id === null) return []
  return runs
    .filter((one) => one.id !== run.id && one.status === 'finished' && one.model_id === run.model_id)
    .filter((one) => one.file_bytes !== null && Math.abs(one.file_bytes - bytes) <= similar * bytes)
    .toSorted((a, b) => a.file_bytes! - b.file_bytes!)
}

type Cells = readonly string[]

const table = (titles: Cells, rows: readonly Cells[]): string => {
  const line = (cells: Cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(titles), line(titles.map((_, at) => (at === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')
}

const settings = ({ method, recipe }: RunSummary): string =>
  [method, ...Object.entries(recipe.parameters).map(([key, value]) => `${key}=${value}`)].join(' ')

const sourceName = (source: string): string =>
  source.startsWith(bundledPrefix) ? source.slice(bundledPrefix.length) : path.basename(source)

function head(run: RunDetails): string {
  const { calibration, overrides } = run.recipe
  const lines = [`- Method: ${settings(run)}`]
  if (run.model)
    lines.unshift(`- Model: ${run.model.name}, ${amount(run.model.parameters)} parameters, ${run.model.dtype}`)
  for (const one of overrides) lines.push(`- Override: ${one.match}: ${effectText(one)}`)
  for (const [key, type] of chosenTables(run.recipe)) lines.push(`- ${tableTitles[key]}: ${tableWords[type]}`)
  if (calibration) {
    const { source, sampling, sequences, length, seed } = calibration
    const drawn = sampling === 'sequential' ? sampling : `${sampling}, seed ${seed}`
    lines.push(`- Calibration: ${sourceName(source)}, ${sequences} x ${length ?? 'context'} tokens, ${drawn}`)
  }
  if (run.program !== null) lines.push(`- Program: ${run.program}`)
  return lines.join('\n')
}

const orDash = <T>(value: T | null, text: (value: T) => string): string => (value === null ? '-' : text(value))

function sizes(run: RunDetails): string {
  const rows = [
    [
      'packed',
      orDash(run.nominal_bits, bits),
      orDash(run.linear_bits, bits),
      orDash(run.file_bits, bits),
      orDash(run.file_bytes, size),
    ],
  ]
  // What the original's linears take is not in the history; its files are.
  if (run.model) {
    const { bytes, parameters } = run.model
    rows.unshift(['original', '-', '-', bits((8 * bytes) / parameters), size(bytes)])
  }
  return `## Size\n\n${table(['', 'nominal bits', 'linear bits', 'file bits', 'files'], rows)}`
}

/** The same tokens, measured the same way. */
const alike = (a: MetricRow, b: MetricRow): boolean =>
  (['sha256', 'protocol', 'window'] as const).every((key) => a[key] === b[key])

const metricOf = (metrics: readonly MetricRow[], packed: MetricRow, name: string, subject = 'packed') =>
  metrics.find((one) => one.name === name && one.subject === subject && alike(one, packed)) ?? null

/** Tokens that a model read per second, those that were not predicted included. */
const speed = ({ windows, window, seconds }: MetricRow): string =>
  seconds > 0 ? count(Math.round((windows * window) / seconds)) : '-'

function onText(run: RunDetails, packed: MetricRow, others: readonly RunSummary[]): string {
  const { source, protocol, windows, window, tokens } = packed
  const how = `protocol ${protocol}, ${count(windows)} windows of ${count(window)}, ${count(tokens)} predicted tokens`
  const original = metricOf(run.metrics, packed, 'perplexity', 'original')
  const rows = [
    ['PPL', orDash(original, perplexity), perplexity(packed)],
    ['tokens/s', orDash(original, speed), speed(packed)],
  ]
  const parts = [
    `## ${sourceName(source)}`,
    how[0]!.toUpperCase() + how.slice(1) + '.',
    table(['', 'original', 'packed'], rows),
  ]
  const distance = distanceTable(run, packed)
  if (distance !== null) parts.push('Packed against the original:', distance)
  const beside = besideTable(run, packed, others)
  const range = `Runs of this model with files within ${100 * similar} % of this one's`
  parts.push(beside === null ? `${range}: none was measured on these tokens.` : `${range}:`)
  if (beside !== null) parts.push(beside)
  return parts.join('\n\n')
}

const distances: readonly { name: string; title: string; text: (value: number | null) => string }[] = [
  { name: 'log_ratio', title: 'ln(PPL(Q)/PPL(base))', text: divergence },
  { name: 'kld', title: 'Mean KLD', text: divergence },
  { name: 'kld_maximum', title: 'Maximum KLD', text: divergence },
  { name: 'kld_99.9', title: '99.9 % KLD', text: divergence },
  { name: 'kld_99', title: '99 % KLD', text: divergence },
  { name: 'kld_95', title: '95 % KLD', text: divergence },
  { name: 'kld_90', title: '90 % KLD', text: divergence },
  { name: 'kld_median', title: 'Median KLD', text: divergence },
  { name: 'kld_minimum', title: 'Minimum KLD', text: divergence },
  { name: 'delta_p', title: 'Mean Δp', text: percent },
  { name: 'delta_p_rms', title: 'RMS Δp', text: percent },
  { name: 'same_top', title: 'Same top p', text: percent },
]

/** Null where the models were not measured side by side. */
function distanceTable({ metrics }: RunDetails, packed: MetricRow): string | null {
  const rows = distances.flatMap(({ name, title, text }) => {
    const found = metricOf(metrics, packed, name)
    return found === null ? [] : [[title, withError(found, text)]]
  })
  if (rows.length === 0) return null
  const ratio = metricOf(metrics, packed, 'log_ratio')
  if (ratio?.value !== null && ratio?.value !== undefined) {
    const value = Math.exp(ratio.value)
    const error = ratio.standard_error === null ? null : value * ratio.standard_error
    rows.unshift(['PPL(Q)/PPL(base)', withError({ value, standard_error: error }, divergence)])
  }
  return table(['', 'value'], rows)
}

/** Null where no other run was measured on these tokens. */
function besideTable(run: RunDetails, packed: MetricRow, others: readonly RunSummary[]): string | null {
  const measured = others.filter(({ metrics }) => metricOf(metrics, packed, 'perplexity'))
  if (measured.length === 0) return null
  const row = (one: RunSummary, name: string): Cells => {
    const of = (metric: string) => metricOf(one.metrics, packed, metric)
    return [
      name,
      settings(one),
      orDash(one.linear_bits, bits),
      orDash(one.file_bits, bits),
      orDash(one.file_bytes, size),
      orDash(of('perplexity'), perplexity),
      orDash(of('kld'), (kld) => withError(kld, divergence)),
      orDash(of('same_top'), (top) => withError(top, percent)),
    ]
  }
  const titles = ['run', 'method', 'linear bits', 'file bits', 'files', 'PPL', 'mean KLD', 'same top p']
  return table(titles, [row(run, `**${run.name}**`), ...measured.map((one) => row(one, one.name))])
}
