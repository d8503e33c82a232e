// What a run will cost: sizes, memory, disk, time. Nothing is started for it but, for a folder that was never seen, `inspect`.
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { calls, type Answer, type Attention, type Ending, type Request } from '../contract/api.ts'
import type { Curve } from '../contract/curve.ts'
import { isCard, processor, type DevicePlan } from '../contract/devices.ts'
import type { Problem } from '../contract/errors.ts'
import type { FileBytes, Model } from '../contract/records.ts'
import type { Sizes } from '../contract/forecast.ts'
import { methodIds } from '../contract/methods.ts'
import { windowOf } from '../contract/evaluation.ts'
import { parseRecipe, type Calibration, type Recipe } from '../contract/recipe.ts'
import { curveOf } from '../bits/curve.ts'
import { forecast as forecastSizes, longestNote, type CalibrationNote, type Forecast } from '../bits/forecast.ts'
import {
  calibrationWanted,
  checkModel,
  checkRecipe,
  lookAtDisk,
  lookAtMemory,
  readCalibration,
  resolve,
} from './checks.ts'
import { findCards } from './cards.ts'
import { refused, type Context } from './context.ts'
import { experiences, learned, type Experience } from './forecast-learned.ts'
import { originalIn } from './library.ts'
import { runsFolder } from '../history/place.ts'
import { place } from './placement.ts'
import type { Wanted } from './source.ts'
import { countReader, tokensAbout, tokensAtMost } from './token-counts.ts'

const curvesRequest = calls.curves.request

/** For every method what it can reach on the model. */
export async function curves(
  context: Context,
  request: Request<'curves'>,
  attention: Attention,
): Promise<Ending<Curve[]>> {
  const model = await originalIn(context, request.model, attention)
  if (model.kind !== 'finished') return model
  const { fixed = {}, ...asked } = curvesRequest.parse(request)
  const { calibration } = asked
  const note = calibration === undefined ? undefined : await noteOf(context, calibration, model.value)
  const value: Curve[] = []
  for (const id of methodIds) {
    value.push(curveOf(id, fixed[id] ?? {}, model.value, asked, note))
    // Whoever waits for a shorter answer gets it in between.
    await setImmediate()
  }
  return { kind: 'finished', value }
}

/** What the metadata will say of a calibration, or the longest that they can say where its text is long. */
export async function noteOf(
  context: Context,
  calibration: Calibration | null,
  model: Model,
): Promise<CalibrationNote | null> {
  if (calibration === null) return null
  const resolved = { ...calibration, length: windowOf(calibration.length, model) }
  const { sampling, sequences, length, seed } = resolved
  const tokens = await tokensAtMost(context.root, calibrationWanted(resolved), model)
  return { tokens: tokens ?? longestNote.tokens, sampling, sequences, length, seed }
}

export async function forecast(
  context: Context,
  request: Request<'forecast'>,
  attention: Attention,
): Promise<Ending<Answer<'forecast'>>> {
  const parsed = parseRecipe(request.recipe, 'the recipe')
  if (!parsed.ok) return refused(parsed.problem)
  const found = await originalIn(context, request.model, attention)
  if (found.kind !== 'finished') return found
  const model = found.value
  const device = await timedOn(context, request.device)
  const threads = request.threads || availableParallelism()
  const known = { ...(await pastOf(context)), model, threads, device }
  const onCard = isCard(request.device ?? processor)
    ? await place(context, request.device, parsed.value, model, attention)
    : null
  // A card that cannot be looked at is said where the run is placed.
  const plan = onCard?.kind === 'finished' ? onCard.value.placement.plan : null
  return { kind: 'finished', value: await forecastOf(context, parsed.value, known, plan) }
}

/** With what would keep a recipe from starting whatever the machine has free: its parameters, its patterns, its text. */
export async function forecasts(
  context: Context,
  request: Request<'forecasts'>,
  attention: Attention,
): Promise<Ending<Answer<'forecasts'>>> {
  const found = await originalIn(context, request.model, attention)
  if (found.kind !== 'finished') return found
  const model = found.value
  const threads = request.threads || availableParallelism()
  const device = await timedOn(context, request.device)
  const known = { ...(await pastOf(context)), model, threads, device }
  const value: Answer<'forecasts'> = []
  for (const asked of request.recipes) {
    const problem = await problemOf(context, asked, model)
    const recipe = parseRecipe(asked, 'the recipe')
    value.push({ problem, forecast: recipe.ok ? await forecastOf(context, recipe.value, known) : null })
    // Whoever waits for a shorter answer gets it in between.
    await setImmediate()
  }
  return { kind: 'finished', value }
}

async function problemOf({ root }: Context, asked: unknown, model: Model): Promise<Problem | null> {
  const recipe = checkRecipe(asked)
  if (!recipe.ok) return recipe.problem
  const matched = checkModel(recipe.value, model)
  if (!matched.ok) return matched.problem
  const { calibration } = resolve(recipe.value, model.path, model)
  const read = calibration && (await readCalibration(countReader(root), calibration, model))
  return read === null || read.ok ? null : read.problem
}

/** Whose times are forecast: those of the processor, or of a card by its name. Left open: the processor's. */
async function timedOn(context: Context, device: string | undefined): Promise<string> {
  if (device === undefined || !isCard(device)) return processor
  const { devices } = await findCards(context)
  return devices.find(({ id }) => id === device)?.name ?? device
}

type Past = { out: string; past: Experience[] }

/** Where runs go, and what earlier ones took. */
async function pastOf(context: Context): Promise<Past> {
  const history = await context.history?.()
  return history?.ok
    ? { out: runsFolder(history.value.data), past: await experiences(history.value) }
    : { out: path.resolve('.'), past: [] }
}

async function forecastOf(
  context: Context,
  asked: Recipe,
  { model, out, past, threads, device }: Past & { model: Model; threads: number; device: string },
  onCard: DevicePlan | null = null,
): Promise<Answer<'forecast'>> {
  const recipe = resolve(asked, model.path, model)
  const about = (wanted: Wanted) => tokensAbout(context.root, wanted, model)
  const tokens = await Promise.all(recipe.evaluations.map(({ source, join }) => about({ source, join })))
  const calibration = recipe.calibration === null ? 0 : await about(calibrationWanted(recipe.calibration))
  const sizes = forecastSizes(recipe, model, await noteOf(context, recipe.calibration, model))
  const memory = await lookAtMemory(context, recipe, model, tokens, onCard)
  const all = tokens.reduce((sum, one) => sum + one, calibration)
  const disk = await lookAtDisk(context, out, recipe, model, memory.inFile, all)
  const next = { model, folder: model.path, recipe, tokens, fileBytes: sizes.expected.fileBytes, threads, device }
  const { seconds, basis } = learned(next, past)
  return {
    expected: said(sizes.expected),
    most: said(sizes.most),
    parts: partsOf(sizes),
    original_bytes: model.bytes,
    memory: { needed: memory.needed, available: memory.available },
    disk,
    seconds,
    basis,
  }
}

const said = ({ nominal, linear, file, linearBytes, fileBytes }: Forecast['expected']): Sizes => ({
  nominal,
  linear,
  file,
  linear_bytes: linearBytes,
  file_bytes: fileBytes,
})

/** As the finished file's bytes are told apart. */
function partsOf({ parts }: Forecast): FileBytes {
  const { kept, rest, ...stored } = parts
  return { ...stored, rest: rest + kept }
}
