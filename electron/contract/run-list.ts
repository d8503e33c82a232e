// The list of runs as it travels to the window: one text a kind of thing, so that ten thousand runs cross in one piece, and
// what few rows show (recipe, metrics, seconds) is parsed where it is looked at. Afterwards only changed runs travel.
import { z } from 'zod'
import type { MetricRow, RunRow, RunStatus, RunSummary } from './history.ts'

/** Columns of `heads`, in this order. */
export const headColumns = [
  'id',
  'name',
  'model_id',
  'method',
  'folder',
  'device',
  'device_name',
  'precision',
  'device_peak_bytes',
  'status',
  'created_at',
  'started_at',
  'finished_at',
  'layers',
  'finished_layers',
  'nominal_bits',
  'linear_bits',
  'file_bits',
  'file_bytes',
  'linear_bytes',
  'peak_resident_bytes',
  'program',
  'error_code',
  'error_message',
  'error_detail',
  'output_error',
  'note',
  'archived_at',
  'calibration_source',
] as const

/** What the metrics of one text share, and then each metric; `metricLine` puts them together. */
export const textColumns = ['protocol', 'source', 'sha256', 'text_tokens', 'window'] as const
export const metricColumns = [
  'id',
  'subject',
  'name',
  'value',
  'standard_error',
  'tokens',
  'windows',
  'seconds',
  'measured_at',
] as const

export const runListSchema = z.object({
  /** To be asked with next time. */
  revision: z.int().min(0),
  /** JSON: of every run the values of `headColumns` and its tags, newest run first. */
  heads: z.string(),
  /** A line a run, in the heads' order: JSON of [recipe, seconds]. */
  recipes: z.string(),
  /** A line a run: JSON of arrays, a text each: the values of `textColumns`, and an array for each metric. */
  metrics: z.string(),
  /** Runs that are no more; null: this is the whole list. */
  gone: z.array(z.int()).nullable(),
})
export type RunList = z.infer<typeof runListSchema>

type Scalar = string | number | null
type Head = Scalar[]
type TextLine = [string, string, string, number, number, ...Scalar[][]]

/** A run of the list: as `runs` answers it, its bulky parts parsed when they are first read. */
export class ListedRun implements RunSummary {
  readonly id: number
  readonly name: string
  readonly model_id: number | null
  readonly method: string
  readonly folder: string | null
  readonly device: string
  readonly device_name: string | null
  readonly precision: string | null
  readonly device_peak_bytes: number | null
  readonly status: RunStatus
  readonly created_at: number
  readonly started_at: number | null
  readonly finished_at: number | null
  readonly layers: number | null
  readonly finished_layers: number
  readonly nominal_bits: number | null
  readonly linear_bits: number | null
  readonly file_bits: number | null
  readonly file_bytes: number | null
  readonly linear_bytes: number | null
  readonly peak_resident_bytes: number | null
  readonly program: string | null
  readonly error_code: string | null
  readonly error_message: string | null
  readonly error_detail: string | null
  readonly output_error: number | null
  readonly note: string
  readonly archived_at: number | null
  /** Of the recipe, which need not be parsed for it. */
  readonly calibration_source: string | null
  readonly tags: string[]
  #recipe: string
  #parsed: [RunRow['recipe'], RunRow['seconds']] | null = null
  #lines: string
  #metrics: MetricRow[] | null = null

  constructor(head: Head, recipe: string, tags: string[], metrics: string) {
    // In the order of headColumns; spelled out, because ten thousand objects of one shape are made here.
    this.id = head[0] as number
    this.name = head[1] as string
    this.model_id = head[2] as number | null
    this.method = head[3] as string
    this.folder = head[4] as string | null
    this.device = head[5] as string
    this.device_name = head[6] as string | null
    this.precision = head[7] as string | null
    this.device_peak_bytes = head[8] as number | null
    this.status = head[9] as RunStatus
    this.created_at = head[10] as number
    this.started_at = head[11] as number | null
    this.finished_at = head[12] as number | null
    this.layers = head[13] as number | null
    this.finished_layers = head[14] as number
    this.nominal_bits = head[15] as number | null
    this.linear_bits = head[16] as number | null
    this.file_bits = head[17] as number | null
    this.file_bytes = head[18] as number | null
    this.linear_bytes = head[19] as number | null
    this.peak_resident_bytes = head[20] as number | null
    this.program = head[21] as string | null
    this.error_code = head[22] as string | null
    this.error_message = head[23] as string | null
    this.error_detail = head[24] as string | null
    this.output_error = head[25] as number | null
    this.note = head[26] as string
    this.archived_at = head[27] as number | null
    this.calibration_source = head[28] as string | null
    this.tags = tags
    this.#recipe = recipe
    this.#lines = metrics
  }

  get recipe(): RunRow['recipe'] {
    return this.#details()[0]
  }

  get seconds(): RunRow['seconds'] {
    return this.#details()[1]
  }

  get metrics(): MetricRow[] {
    return (this.#metrics ??= this.#lines === '[]' ? [] : this.#parseMetrics())
  }

  #details(): [RunRow['recipe'], RunRow['seconds']] {
    return (this.#parsed ??= JSON.parse(this.#recipe) as [RunRow['recipe'], RunRow['seconds']])
  }

  #parseMetrics(): MetricRow[] {
    const found: MetricRow[] = []
    for (const [protocol, source, sha256, text_tokens, window, ...metrics] of JSON.parse(this.#lines) as TextLine[]) {
      for (const [id, subject, name, value, standard_error, tokens, windows, seconds, measured_at] of metrics) {
        const what = { id, model_id: null, run_id: this.id, subject, name, protocol, value, standard_error, tokens }
        found.push({ ...what, windows, window, source, sha256, text_tokens, seconds, measured_at } as MetricRow)
      }
    }
    return found.sort((a, b) => a.id - b.id)
  }
}

/** The runs of an answer, newest first. */
export function listedRuns(list: Pick<RunList, 'heads' | 'recipes' | 'metrics'>): ListedRun[] {
  const heads = JSON.parse(list.heads) as [Head, string[]][]
  const recipes = list.recipes.split('\n')
  const metrics = list.metrics.split('\n')
  return heads.map(([head, tags], at) => new ListedRun(head, recipes[at]!, tags, metrics[at]!))
}

/** What is known once an answer came: changed runs in the places of their former selves, new ones in front. */
export function merged(before: readonly RunSummary[], list: RunList): RunSummary[] {
  const came = listedRuns(list)
  if (list.gone === null) return came
  const gone = new Set(list.gone)
  const changed = new Map(came.map((run) => [run.id, run]))
  const kept = before.flatMap((run) => {
    const other = changed.get(run.id)
    changed.delete(run.id)
    return other ?? (gone.has(run.id) ? [] : run)
  })
  if (changed.size === 0) return kept
  // A deletion that was undone puts an old run back among the others.
  return [...kept, ...changed.values()].sort((a, b) => b.id - a.id)
}
