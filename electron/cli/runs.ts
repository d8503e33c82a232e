// signum runs: what the history knows.
import { failure, success, type Result } from '../contract/errors.ts'
import {
  resumableStatuses,
  type ExportRow,
  type MetricRow,
  type RunDetails,
  type RunRow,
  type RunSummary,
} from '../contract/history.ts'
import { metricWords } from '../contract/metric-words.ts'
import { effectText } from '../contract/override-text.ts'
import { chosenTables, tableWords } from '../contract/tables.ts'
import { runFields } from '../contract/run-fields.ts'
import { matcher, parseFilter } from '../contract/run-filter.ts'
import * as quantities from '../contract/quantities.ts'
import { refusal, reply, unfinished, type Command, type Reply, type Task } from './command.ts'
import { roundingText } from './export.ts'
import { table, type Column } from './table.ts'

export const runs: Command = {
  spec: {
    name: 'runs',
    summary: 'List the runs in the history, show one, print its results sheet, or delete one with its folder.',
    positionals: [
      { name: 'ACTION', help: 'list (or nothing), show, sheet, delete.', optional: true },
      { name: 'ID', help: 'the number of the run, for show, sheet and delete.', optional: true },
    ],
    options: [
      {
        name: 'where',
        value: 'FILTER',
        kind: 'text',
        help: "For list: the window's filter, as 'method:arb-rc ppl<32 file<2MB tag:paper archived:any'.",
      },
    ],
    notes: ['delete removes the folder and the rows, or neither; a folder with files of others in it is refused.'],
  },

  async run(task) {
    const [action = 'list', words] = task.values.positionals
    if (action === 'list' && words === undefined) return list(task)
    if (action !== 'show' && action !== 'sheet' && action !== 'delete') {
      const given = [action, words].filter(Boolean).join(' ')
      const message = `signum runs takes list, show ID, sheet ID or delete ID, not '${given}'.`
      return refusal(failure('option_invalid', message).problem)
    }
    const id = idOf(words, action)
    if (!id.ok) return refusal(id.problem)
    return { show, sheet, delete: remove }[action](task, id.value)
  },
}

function idOf(words: string | undefined, action: string): Result<number> {
  const id = Number(words)
  if (words !== undefined && /^\d{1,9}$/.test(words) && id > 0) return success(id)
  return failure('option_invalid', `signum runs ${action} needs the number of a run; signum runs lists them.`)
}

const tags: Column = { title: 'tags', align: 'left' }
const columns: Column[] = [
  { title: 'id', align: 'right' },
  { title: 'run', align: 'left' },
  tags,
  { title: 'status', align: 'left' },
  { title: 'begun', align: 'left' },
  { title: 'linear bits', align: 'right' },
  { title: 'file bits', align: 'right' },
  { title: 'size', align: 'right' },
  { title: 'perplexity', align: 'right' },
  { title: 'original', align: 'right' },
  { title: 'text', align: 'left' },
]

async function list({ workbench, attention, values }: Task): Promise<Reply> {
  const where = values.text('where')
  const filter = parseFilter(where ?? '')
  if (filter.problem) {
    const message = `--where, character ${filter.problem.from + 1}: ${filter.problem.message}.`
    return refusal(failure('option_invalid', message).problem)
  }
  const ending = await workbench.runs({}, attention)
  if (ending.kind !== 'finished') return unfinished(ending, null)
  if (ending.value.length === 0) return reply('No runs yet.', { runs: [] })
  // Without a filter everything is listed, as ever.
  const found = where === undefined ? ending.value : ending.value.filter(matcher(filter.terms, runFields))
  if (found.length === 0) return reply('No run fits.', { runs: [] })
  const tagged = found.some(({ tags }) => tags.length > 0)
  const shown = tagged ? columns : columns.filter((column) => column !== tags)
  const rows = found.map((run) => (tagged ? row(run).toSpliced(2, 0, run.tags.join(' ')) : row(run)))
  return reply(table(shown, rows), { runs: found })
}

function row(run: RunSummary): string[] {
  const [packed] = run.metrics.filter(({ subject, name }) => subject === 'packed' && name === 'perplexity')
  const original = packed && counterpart(run.metrics, packed)
  return [
    String(run.id),
    run.name,
    statusOf(run),
    time(run.started_at ?? run.created_at),
    run.linear_bits === null ? '' : quantities.bits(run.linear_bits),
    run.file_bits === null ? '' : quantities.bits(run.file_bits),
    run.file_bytes === null ? '' : quantities.size(run.file_bytes),
    packed ? quantities.perplexity(packed) : '',
    original ? quantities.perplexity(original) : '',
    packed ? `${shortSource(packed.source)}, ${packed.protocol}, ${packed.windows} x ${packed.window}` : '',
  ]
}

const counterpart = (metrics: readonly MetricRow[], packed: MetricRow) =>
  metrics.find(
    (one) =>
      one.subject === 'original' &&
      (['name', 'sha256', 'window', 'protocol'] as const).every((key) => one[key] === packed[key]),
  )

function statusOf({ status, finished_layers: done, layers, error_code: code }: RunRow): string {
  if (status === 'finished' || status === 'queued') return status
  if (status === 'failed') return `failed (${code})`
  return layers === null ? status : `${status}, ${done} of ${layers} layers`
}

const shortSource = (source: string) => source.replace(/^bundled:/, '').replace(/^.*[/\\]/, '')

/** 2025-11-22 14:27, in local time. */
function time(at: number): string {
  const date = new Date(at - new Date(at).getTimezoneOffset() * 60_000)
  return date.toISOString().slice(0, 16).replace('T', ' ')
}

async function show({ workbench, attention }: Task, id: number): Promise<Reply> {
  const ending = await workbench.run({ id }, attention)
  return ending.kind === 'finished' ? reply(page(ending.value), ending.value) : unfinished(ending, null)
}

function page(run: RunDetails): string {
  const { recipe, model } = run
  const parameters = Object.entries(recipe.parameters).map(([key, value]) => `${key}=${value}`)
  const lines: [string, string][] = [
    ['run', `${run.id}, ${run.name}`],
    ['status', statusOf(run)],
    ['model', model ? `${model.path}, ${quantities.amount(model.parameters)} parameters` : (recipe.model ?? 'unknown')],
    ['method', [recipe.method, ...parameters].join(' ')],
    ...recipe.overrides.map((one): [string, string] => ['override', `${one.match}: ${effectText(one)}`]),
    ...chosenTables(recipe).map(([key, type]): [string, string] => [key.replace('_type', ''), tableWords[type]]),
    ['folder', run.folder ?? 'none: its files are gone'],
    ...(run.tags.length > 0 ? [['tags', run.tags.join(' ')] satisfies [string, string]] : []),
    ...(run.note === '' ? [] : [['note', run.note] satisfies [string, string]]),
    ...(run.archived_at === null ? [] : [['archived', time(run.archived_at)] satisfies [string, string]]),
    ['created', time(run.created_at)],
  ]
  if (run.started_at !== null) lines.push(['begun', time(run.started_at)])
  if (run.finished_at !== null) lines.push(['ended', time(run.finished_at)])
  if (run.error_message !== null) lines.push(['error', `${run.error_code}: ${run.error_message}`])
  const { nominal_bits: nominal, linear_bits: linear, file_bits: file, file_bytes: bytes } = run
  if (nominal !== null && linear !== null && file !== null) {
    const { bits } = quantities
    lines.push(['bits', `${bits(nominal)} nominal, ${bits(linear)} linear, ${bits(file)} file`])
  }
  if (bytes !== null) lines.push(['size', quantities.size(bytes)])
  for (const one of run.metrics) {
    // The rest is in --json and in the run's report.
    const words = metricWords(one)
    const how = `${shortSource(one.source)}, protocol ${one.protocol}, ${one.windows} windows of ${one.window}, ${one.tokens} targets`
    if (words !== null) lines.push([words.title, `${one.subject} ${words.text} (${how})`])
  }
  if (run.layer_reports.length > 0) lines.push(['linears', `${run.layer_reports.length} reported`])
  for (const one of run.exports) lines.push(...exportLines(one))
  if (run.folder !== null && resumableStatuses.includes(run.status)) {
    lines.push(['go on with', `signum quantize --resume --out ${run.folder}`])
  }
  return lines.map(([title, text]) => `${title.padEnd(16)}${text}`).join('\n')
}

function exportLines({ format, type, path, bytes, files, verification }: ExportRow): [string, string][] {
  const what = [format, type].filter(Boolean).join(' ')
  const how = verification === null ? '' : `, verified: ${roundingText(verification)}`
  return [
    ['export', `${what} ${path}, ${quantities.size(bytes)}${how}`],
    ...(files ?? []).map(({ name, sha256 }): [string, string] => ['', `sha256 ${sha256}  ${name}`]),
  ]
}

/** Markdown: sizes, perplexity, distance and speed, against the original and runs of similar size. */
async function sheet({ workbench, attention }: Task, id: number): Promise<Reply> {
  const ending = await workbench.sheet({ id }, attention)
  return ending.kind === 'finished' ? reply(ending.value.markdown.trimEnd(), ending.value) : unfinished(ending, null)
}

async function remove({ workbench, attention }: Task, id: number): Promise<Reply> {
  const ending = await workbench.deleteRun({ id }, attention)
  if (ending.kind !== 'finished') return unfinished(ending, null)
  for (const note of ending.value.notes) attention.onNote?.(note)
  const { folder } = ending.value
  return reply(`Run ${id} is deleted${folder === null ? '' : `, with ${folder}`}.`, { deleted: ending.value })
}
