// What the finished runs of this computer say about the next one: each phase took some share of its usual time.
import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { z } from 'zod'
import { processor } from '../contract/devices.ts'
import type { Basis } from '../contract/forecast.ts'
import type { RunRow } from '../contract/history.ts'
import { parseRecipe } from '../contract/recipe.ts'
import { runReportSchema } from '../contract/records.ts'
import type { History } from '../history/history.ts'
import { resolve } from './checks.ts'
import { runFiles } from './folder.ts'
import { total, usualSeconds, type Seconds, type TimedRun } from './forecast-time.ts'

/** A finished run: what it took, and what it would usually have taken. `device`: cpu, or the name of a card. */
export type Experience = { method: string; folder: string; device: string; took: Seconds; usual: Seconds }

/** Phases that the method decides; the others are the same for all. */
const ofMethod: readonly string[] = ['quantize']
/** The newest runs tell most: other programs, other versions, another cooling. */
const enough = 5

export function learned(
  next: TimedRun & { folder: string; device: string },
  all: readonly Experience[],
): { seconds: Seconds; basis: Basis } {
  const usual = usualSeconds(next)
  const past = all.filter(({ device }) => device === next.device)
  // The usual rates are those of processors: they say nothing of a card.
  if (next.device !== processor && past.length === 0) {
    return { seconds: {}, basis: { runs: 0, same_model: false, unknown: true } }
  }
  const ofThis = past.filter(({ method }) => method === next.recipe.method)
  const ofModel = ofThis.filter(({ folder }) => folder === next.folder)
  const same_model = ofModel.length > 0
  const runs = (same_model ? ofModel : ofThis).slice(0, enough)
  // Another method on the same model tells more about its passes than the same method on another model.
  const others = past.filter(({ folder }) => folder === next.folder)
  const seconds: Seconds = {}
  for (const [phase, time] of Object.entries(usual)) {
    const fallback = ofMethod.includes(phase) ? [] : others.length > 0 ? others : past
    seconds[phase] = time * (share(runs, phase) ?? share(fallback.slice(0, enough), phase) ?? 1)
  }
  return { seconds, basis: { runs: runs.length, same_model, unknown: false } }
}

function share(runs: readonly Experience[], phase: string): number | null {
  const had = runs.filter(({ took, usual }) => took[phase] !== undefined && (usual[phase] ?? 0) > 0)
  if (had.length === 0) return null
  const sum = (of: (one: Experience) => Seconds) => had.reduce((all, one) => all + of(one)[phase]!, 0)
  return sum((one) => one.took) / sum((one) => one.usual)
}

const jobSchema = z.object({ threads: z.int().min(0) })

/** The newest runs first. Runs that were resumed are left out: their times are those of the last process alone. */
export async function experiences(history: History): Promise<Experience[]> {
  const rows = history.read(() =>
    history.runs.list().filter(({ status, seconds, folder }) => status === 'finished' && seconds && folder),
  )
  const found: Experience[] = []
  for (const row of rows.ok ? rows.value : []) {
    if (found.length >= 4 * enough) break
    const one = await experience(history, row)
    if (one !== null) found.push(one)
  }
  return found
}

/** What a run came to does not change any more. */
const known = new Map<string, Experience | null>()

async function experience(history: History, row: RunRow): Promise<Experience | null> {
  const key = `${row.folder} ${row.finished_at}`
  if (!known.has(key)) known.set(key, await readExperience(history, row))
  return known.get(key) ?? null
}

async function readExperience(history: History, row: RunRow): Promise<Experience | null> {
  const { folder, seconds, model_id } = row
  if (folder === null || seconds === null || model_id === null) return null
  const files = runFiles(folder)
  const [report, job] = await Promise.all([json(files.report), json(files.job)])
  const parsed = runReportSchema.safeParse(report)
  const model = history.models.description(model_id)
  const recipe = parseRecipe(row.recipe, 'the recipe')
  if (!parsed.success || parsed.data.resumed || model === null || !recipe.ok) return null
  const { perplexity, sizes } = parsed.data
  const usual = usualSeconds({
    model,
    recipe: resolve(recipe.value, model.path, model),
    tokens: perplexity.map(({ text }) => text.tokens),
    fileBytes: sizes.file_bytes,
    threads: jobSchema.safeParse(job).data?.threads || availableParallelism(),
  })
  return total(usual) > 0
    ? { method: row.method, folder: model.path, device: row.device_name ?? processor, took: seconds, usual }
    : null
}

const json = async (file: string): Promise<unknown> => {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch {
    return null
  }
}
