// How a run of the history answers the filter's questions where no models are at hand: the command line, the list of runs.
import { bundledPrefix } from './recipe.ts'
import type { MetricRow, RunSummary } from './history.ts'
import type { Fields } from './run-filter.ts'
import { ListedRun } from './run-list.ts'
import { lastPart } from './run-name.ts'

const measured = (run: RunSummary, subject: MetricRow['subject'], name: string): number | null =>
  run.metrics.find((one) => one.subject === subject && one.name === name)?.value ?? null

/** evaluation-stories of `bundled:evaluation-stories`, book.txt of a path. */
const textName = (source: string): string =>
  source.startsWith(bundledPrefix) ? source.slice(bundledPrefix.length) : lastPart(source)

/** Numbers on a text are those of the run's first one. */
export const runFields: Fields<RunSummary> = {
  words: {
    method: (run) => run.method,
    model: (run) => lastPart(run.recipe.model ?? ''),
    status: (run) => run.status,
    tag: (run) => run.tags,
    name: (run) => run.name,
    note: (run) => run.note,
    device: (run) => run.device_name ?? run.device,
    text: (run) => {
      const source = run instanceof ListedRun ? run.calibration_source : run.recipe.calibration?.source
      return source ? textName(source) : 'none'
    },
  },
  numbers: {
    ppl: (run) => measured(run, 'packed', 'perplexity'),
    original: (run) => measured(run, 'original', 'perplexity'),
    kld: (run) => measured(run, 'packed', 'kld'),
    top: (run) => measured(run, 'packed', 'same_top'),
    bits: (run) => run.linear_bits,
    nominal: (run) => run.nominal_bits,
    filebits: (run) => run.file_bits,
    file: (run) => run.file_bytes,
    linears: (run) => run.linear_bytes,
    error: (run) => run.output_error,
    time: (run) => (run.seconds ? Object.values(run.seconds).reduce((sum, one) => sum + one, 0) : null),
    memory: (run) => run.peak_resident_bytes,
    id: (run) => run.id,
  },
  parameter: (run, key) => run.recipe.parameters[key] ?? null,
  date: (run) => run.finished_at ?? run.created_at,
  archived: (run) => run.archived_at !== null,
}
