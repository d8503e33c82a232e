// A run's folder: what lies where in it, and whether one may begin or go on there.
import { readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { precisionSchema, processor, type Precision } from '../contract/devices.ts'
import { parseRecipe, type Recipe } from '../contract/recipe.ts'
import { layerReportSchema, runReportSchema, type LayerReport, type RunReport } from '../contract/records.ts'
import { parseLine } from '../worker/lines.ts'

export const runFiles = (out: string) => ({
  recipe: path.join(out, 'recipe.json'),
  /** The worker's: which layers are durable. */
  state: path.join(out, 'state.json'),
  job: path.join(out, 'job.json'),
  events: path.join(out, 'events.jsonl'),
  packed: path.join(out, 'packed'),
  /** What a calibrated run learned of its layers and no packed model needs (docs/PROTOCOL.md). */
  diagnostics: path.join(out, 'diagnostics'),
  report: path.join(out, 'report.json'),
  calibration: path.join(out, 'calibration.u32'),
  /** The first text's tokens are evaluation.u32, the second's evaluation-2.u32. */
  evaluation: (index: number) => path.join(out, `evaluation${nth(index)}.u32`),
  /** What was measured at every token of that text (docs/PROTOCOL.md). */
  targets: (index: number) => path.join(out, `evaluation${nth(index)}.safetensors`),
})

const nth = (index: number): string => (index === 0 ? '' : `-${index + 1}`)

/** The folder of the packed model where a run's folder is given; any other folder as it is. */
export async function modelFolder(folder: string): Promise<string> {
  const { recipe, packed } = runFiles(folder)
  const there = (file: string) => stat(file).then(Boolean, () => false)
  return (await there(recipe)) && (await there(packed)) ? packed : folder
}

/** The run's folder whose packed model this would be; null: the folder has another name. */
export const runOfModel = (model: string): string | null =>
  path.basename(model) === path.basename(runFiles('').packed) ? path.dirname(model) : null

/** Whether Signum makes entries of this name in a run's folder, half written ones included. */
export const isOwnFile = (name: string): boolean =>
  /^(recipe|state|job|report)\.json$|^events\.jsonl$|^(calibration|evaluation(-\d+)?)\.u32$|^evaluation(-\d+)?\.safetensors$|^packed$|^diagnostics$|^lock$|^signum-activations-\w+$/.test(
    name.replace(/\.part(ial)?$/, ''),
  )

export type FolderState =
  | { kind: 'fresh' }
  | { kind: 'foreign'; holds: string }
  | { kind: 'run'; recipe: Recipe; begun: boolean; device: BegunOn | null; report: RunReport | null }

/** What the worker was last told to compute on. */
export type BegunOn = { device: string; precision: Precision | undefined }
const begunOnSchema = z.object({ device: z.string().default(processor), precision: precisionSchema.optional() })

export async function readFolder(out: string): Promise<FolderState> {
  const found = await stat(out).catch(() => null)
  if (found === null) return { kind: 'fresh' }
  if (!found.isDirectory()) return { kind: 'foreign', holds: 'a file' }
  const names = await readdir(out)
  if (names.length === 0) return { kind: 'fresh' }
  const files = runFiles(out)
  const recipe = parseRecipe(await readJson(files.recipe), files.recipe)
  if (!recipe.ok) return { kind: 'foreign', holds: names.toSorted()[0]! }
  const report = runReportSchema.safeParse(await readJson(files.report))
  const begun = names.includes(path.basename(files.state))
  const job = begun ? begunOnSchema.safeParse(await readJson(files.job)).data : undefined
  const device = job ? { device: job.device, precision: job.precision } : null
  return { kind: 'run', recipe: recipe.value, begun, device, report: report.data ?? null }
}

/** Undefined when the file is missing or not JSON. */
async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch {
    return undefined
  }
}

/** The layer reports of all processes that worked on a run; a layer that was done again counts as done last. */
export async function readLayerReports(events: string): Promise<Map<string, LayerReport>> {
  const reports = new Map<string, LayerReport>()
  const text = await readFile(events, 'utf8').catch(() => '')
  for (const line of text.split('\n')) {
    const parsed = line.includes('"layer"') ? parseLine(line) : null
    if (parsed === null || !('event' in parsed) || parsed.event.event !== 'layer') continue
    reports.set(parsed.event.name, layerReportSchema.parse(parsed.event))
  }
  return reports
}
