// What a run will cost: sizes, memory, disk, time. Nothing is started for it but, for a folder that was never seen, `inspect`.
import { availableParallelism } from 'node:os'
import path from 'node:path'
import type { Answer, Attention, Ending, Request } from '../contract/api.ts'
import type { Curve } from '../contract/curve.ts'
import type { FileBytes, Model } from '../contract/records.ts'
import type { Sizes } from '../contract/forecast.ts'
import { methodIds } from '../contract/methods.ts'
import { parseRecipe } from '../contract/recipe.ts'
import { curveOf } from '../bits/curve.ts'
import { elementBytes, forecast as forecastSizes, type Forecast } from '../bits/forecast.ts'
import { calibrationWanted, lookAtDisk, lookAtMemory, original, resolve } from './checks.ts'
import { refused, type Context } from './context.ts'
import { experiences, learned } from './forecast-learned.ts'
import { knownModel } from './library.ts'
import { runsFolder } from '../history/place.ts'
import type { Wanted } from './source.ts'
import { tokensAbout } from './token-counts.ts'

/** For every method what it can reach on the model. */
export async function curves(
  context: Context,
  request: Request<'curves'>,
  attention: Attention,
): Promise<Ending<Curve[]>> {
  const model = await originalIn(context, request.model, attention)
  if (model.kind !== 'finished') return model
  const fixed = request.fixed ?? {}
  return {
    kind: 'finished',
    value: methodIds.map((id) => curveOf(id, fixed[id] ?? {}, model.value, request.overrides)),
  }
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
  const recipe = resolve(parsed.value, model.path, model)
  const sizes = forecastSizes(recipe, model)
  const about = (wanted: Wanted) => tokensAbout(context.root, wanted, model)
  const tokens = await Promise.all(recipe.evaluations.map(({ source, join }) => about({ source, join })))
  const calibration = recipe.calibration === null ? 0 : await about(calibrationWanted(recipe.calibration))
  const memory = await lookAtMemory(context, recipe, model)
  const all = tokens.reduce((sum, one) => sum + one, calibration)
  const history = await context.history?.()
  const out = history?.ok ? runsFolder(history.value.data) : path.resolve('.')
  const disk = await lookAtDisk(context, out, recipe, model, memory.activationLimit, all)
  const threads = request.threads || availableParallelism()
  const next = { model, folder: model.path, recipe, tokens, fileBytes: sizes.expected.fileBytes, threads }
  const { seconds, basis } = learned(next, history?.ok ? await experiences(history.value) : [])
  const value = {
    expected: said(sizes.expected),
    most: said(sizes.most),
    parts: partsOf(sizes, model),
    original_bytes: model.bytes,
    memory: { needed: memory.needed, available: memory.available },
    disk,
    seconds,
    basis,
  }
  return { kind: 'finished', value }
}

export async function originalIn(context: Context, folder: string, attention: Attention): Promise<Ending<Model>> {
  const found = await knownModel(context, path.resolve(folder), attention)
  return found.kind === 'finished' ? original(found.value) : found
}

const said = ({ nominal, linear, file, linearBytes, fileBytes }: Forecast['expected']): Sizes => ({
  nominal,
  linear,
  file,
  linear_bytes: linearBytes,
  file_bytes: fileBytes,
})

/** As the finished file's bytes are told apart. */
function partsOf({ expected, parts }: Forecast, model: Model): FileBytes {
  const { rest, kept, ...stored } = parts
  const one = model.vocabulary * model.hidden * (elementBytes[model.dtype] ?? 4)
  const embeddings = Math.min(rest, model.tied ? one : 2 * one)
  const headers = expected.fileBytes - expected.linearBytes - rest
  return { ...stored, embeddings, rest: rest + kept - embeddings, headers }
}
