// A run as a row of the table: what was asked for and what came out, by one name each.
import type { ModelCard } from '../../../electron/contract/api.ts'
import type { MetricRow, RunStatus, RunSummary } from '../../../electron/contract/history.ts'
import { ListedRun } from '../../../electron/contract/run-list.ts'
import { findMethod, unusual, type Parameters } from '../../../electron/contract/methods.ts'
import { bundledPrefix } from '../../../electron/contract/recipe.ts'
import { chosenTables } from '../../../electron/contract/tables.ts'

export type Measured = { value: number | null; standard_error: number | null }

/** What was measured on one text. */
export type OnText = {
  /** Of the token ids: only what has the same may be compared. */
  sha256: string
  packed: Measured | null
  original: Measured | null
  /** Of the packed model beside its original; null where that was not measured. */
  kld: Measured | null
  sameTop: Measured | null
}

export type Row = {
  id: number
  name: string
  /** As it is shown, and by what it is told from others. */
  model: string
  modelKey: string
  /** Bytes of the original's files; null where its folder is not known any more. */
  originalBytes: number | null
  method: string
  status: RunStatus
  tags: readonly string[]
  note: string
  archived: boolean
  parameters: Parameters
  /** Those that are not as usual. */
  chosen: string
  /** The calibration text with its sequences and their length, and its name alone. */
  calibration: string
  calibrationText: string
  evaluations: string
  fileBytes: number | null
  linearBytes: number | null
  nominalBits: number | null
  linearBits: number | null
  fileBits: number | null
  peakBytes: number | null
  /** cpu, or the name of a card; its products' arithmetic, '' of the processor; most of its memory that was in use. */
  device: string
  precision: string
  cardBytes: number | null
  /** Mean of the linears' relative output errors. */
  outputError: number | null
  /** All phases of the process that finished it. */
  seconds: number | null
  /** Milliseconds since 1970; of a run without an end, when it was made. */
  date: number
  /** By `textKey`. */
  texts: ReadonlyMap<string, OnText>
}

/** Same protocol and tokens per window of the same source; which tokens these are says `sha256`. */
export const textKey = ({ source, window, protocol }: Pick<MetricRow, 'source' | 'window' | 'protocol'>) =>
  `${protocol} ${window} ${source}`

/** evaluation-stories of `bundled:evaluation-stories`, book.txt of a path. */
export const sourceName = (source: string): string =>
  source.startsWith(bundledPrefix) ? source.slice(bundledPrefix.length) : lastPart(source)

const lastPart = (path: string) => path.split(/[\\/]/).findLast((part) => part !== '') ?? path

/** What a row costs to make is paid where it is looked at: the list of a history may have ten thousand. */
export function rowOf(run: RunSummary, models: ModelLookup): Row {
  const card = models(run)
  let parameters: Parameters | undefined
  let chosen: string | undefined
  let calibration: string | undefined
  let texts: Map<string, OnText> | undefined
  return {
    id: run.id,
    name: run.name,
    model: card?.name ?? (run.recipe.model === undefined ? 'unknown' : lastPart(run.recipe.model)),
    modelKey: card?.folder ?? run.recipe.model ?? '',
    originalBytes: card?.model?.bytes ?? null,
    method: run.method,
    status: run.status,
    tags: run.tags,
    note: run.note,
    archived: run.archived_at !== null,
    get parameters() {
      return (parameters ??= run.recipe.parameters)
    },
    get chosen() {
      return (chosen ??= chosenText(run))
    },
    get calibrationText() {
      const source = run instanceof ListedRun ? run.calibration_source : run.recipe.calibration?.source
      return source ? sourceName(source) : 'none'
    },
    get calibration() {
      return (calibration ??= calibrationText(run))
    },
    get evaluations() {
      return run.recipe.evaluations.map(({ source }) => sourceName(source)).join(', ')
    },
    fileBytes: run.file_bytes,
    linearBytes: run.linear_bytes,
    nominalBits: run.nominal_bits,
    linearBits: run.linear_bits,
    fileBits: run.file_bits,
    peakBytes: run.peak_resident_bytes,
    device: run.device_name ?? run.device,
    precision: run.device_name === null ? '' : (run.precision ?? ''),
    cardBytes: run.device_peak_bytes,
    outputError: run.output_error,
    get seconds() {
      return run.seconds ? Object.values(run.seconds).reduce((sum, one) => sum + one, 0) : null
    },
    date: run.finished_at ?? run.created_at,
    get texts() {
      return (texts ??= textsOf(run.metrics))
    },
  }
}

export type ModelLookup = (run: RunSummary) => ModelCard | undefined

/** By the model's number, or by its folder where the run does not know that. */
export function modelLookup(models: readonly ModelCard[]): ModelLookup {
  const byId = new Map(models.map((card) => [card.id, card]))
  const byFolder = new Map(models.map((card) => [card.folder, card]))
  return (run) => (run.model_id === null ? byFolder.get(run.recipe.model ?? '') : byId.get(run.model_id))
}

function chosenText({ method: id, recipe }: RunSummary): string {
  const method = findMethod(id)
  const chosen = method.ok ? unusual(method.value, recipe.parameters) : recipe.parameters
  const all = { ...chosen, ...Object.fromEntries(chosenTables(recipe)) }
  return [settingsText(all), overridesText(recipe.overrides.length)].filter(Boolean).join(' ')
}

const calibrationText = ({ recipe: { calibration } }: RunSummary): string =>
  calibration
    ? `${sourceName(calibration.source)}, ${calibration.sequences} \u00d7 ${calibration.length ?? 'context'}`
    : 'none'

const overridesText = (count: number) => (count === 0 ? '' : `+${count} override${count === 1 ? '' : 's'}`)

/** bits=3 group=64 */
export const settingsText = (parameters: Readonly<Parameters>): string =>
  Object.entries(parameters)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ')

function placeOf({ name, subject }: MetricRow): Exclude<keyof OnText, 'sha256'> | null {
  if (name === 'perplexity') return subject
  return name === 'kld' ? 'kld' : name === 'same_top' ? 'sameTop' : null
}

function textsOf(metrics: readonly MetricRow[]): Map<string, OnText> {
  const texts = new Map<string, OnText>()
  for (const metric of metrics) {
    const what = placeOf(metric)
    if (what === null) continue
    const key = textKey(metric)
    const { sha256, value, standard_error } = metric
    const before = texts.get(key) ?? { sha256, packed: null, original: null, kld: null, sameTop: null }
    texts.set(key, { ...before, [what]: { value, standard_error } })
  }
  return texts
}
