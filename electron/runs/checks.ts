// What is looked at before a run starts, one step each: the run takes them until one fails, the window shows them all.
import type { Attention, Ending } from '../contract/api.ts'
import type { DevicePlan } from '../contract/devices.ts'
import { failure, type Problem, type Result } from '../contract/errors.ts'
import { windowOf } from '../contract/evaluation.ts'
import { checkMatches, corrects, resolvedOverrides } from '../contract/overrides.ts'
import { needingCalibration, parseRecipe, type Evaluation, type Recipe } from '../contract/recipe.ts'
import type { Model, Tokens } from '../contract/records.ts'
import { checkTables, type TableTypes } from '../contract/tables.ts'
import { forecast } from '../bits/forecast.ts'
import { refused, type Context } from './context.ts'
import { inspect } from './models.ts'
import {
  activationLimit,
  activationsInFile,
  diskNeeded,
  evaluationBesideCard,
  evaluationMemoryNeeded,
  memoryNeeded,
  type Sampling,
} from './needs.ts'
import * as preflight from './preflight.ts'
import type { Wanted } from './source.ts'

export type ResolvedEvaluation = Evaluation & { window: number }
export type ResolvedRecipe = Omit<Recipe, 'model' | 'calibration' | 'evaluations'> & {
  model: string
  calibration: preflight.ResolvedCalibration | null
  evaluations: ResolvedEvaluation[]
}

/** Every value in range, and a text for a method that needs one. */
export function checkRecipe(asked: unknown): Result<Recipe> {
  const recipe = parseRecipe(asked, 'the recipe')
  if (!recipe.ok) return recipe
  const needing = needingCalibration(recipe.value)
  if (needing !== null && recipe.value.calibration === null) {
    return failure(
      'calibration_missing',
      `${needing} needs a calibration text (or token ids, X.u32), for example bundled:calibration-broad.`,
    )
  }
  return recipe
}

export async function inspectOriginal(context: Context, folder: string, attention: Attention): Promise<Ending<Model>> {
  const inspected = await inspect(context, { folder }, attention)
  return inspected.kind === 'finished' ? original(inspected.value) : inspected
}

/** Every override has something to say about this model, and its tables can have these types. */
export function checkModel(recipe: Pick<Recipe, 'overrides' | keyof TableTypes>, model: Model): Result<null> {
  const tables = checkTables(recipe, model)
  if (!tables.ok) return tables
  return checkMatches(
    recipe.overrides,
    model.linears.map(({ name }) => name),
  )
}

/** A packed model is no original. */
export function original(model: Model): Ending<Model> {
  if (!model.packed) return { kind: 'finished', value: model }
  const message = `${model.path} is a packed model already: quantize the original.`
  return refused(failure('already_quantized', message).problem)
}

export function resolve(recipe: Recipe, folder: string, model: Model): ResolvedRecipe {
  const { calibration, evaluations } = recipe
  return {
    ...recipe,
    overrides: resolvedOverrides(recipe),
    model: folder,
    calibration: calibration && { ...calibration, length: windowOf(calibration.length, model) },
    evaluations: evaluations.map((one) => ({ ...one, window: windowOf(one.window, model, one.protocol) })),
  }
}

/** Reads a source as tokens of the model: with the ids, or only how many they are. */
export type ReadTokens<T extends { tokens: Tokens }> = (wanted: Wanted, model: Model) => Promise<Result<T>>

/** What a calibration takes of its source. */
export function calibrationWanted(calibration: preflight.ResolvedCalibration): Wanted {
  const { source, join, sampling, sequences, length, seed } = calibration
  if (sampling === 'documents') return { source, join, draw: { sequences, length, seed } }
  return sampling === 'sequential' ? { source, join, enough: sequences * length } : { source, join }
}

export async function readCalibration<T extends { tokens: Tokens }>(
  read: ReadTokens<T>,
  calibration: preflight.ResolvedCalibration,
  model: Model,
): Promise<Result<T>> {
  const far = preflight.checkContext('A calibration sequence', calibration.length, model.context)
  if (far) return { ok: false, problem: far }
  const tokens = await read(calibrationWanted(calibration), model)
  if (!tokens.ok || calibration.sampling === 'documents') return tokens
  const short = preflight.checkCalibration(tokens.value.tokens.tokens, calibration)
  return short ? { ok: false, problem: short } : tokens
}

export async function readEvaluation<T extends { tokens: Tokens }>(
  read: ReadTokens<T>,
  { source, window, protocol, join }: ResolvedEvaluation,
  model: Model,
): Promise<Result<T>> {
  const far = preflight.checkContext('A window', window, model.context)
  if (far) return { ok: false, problem: far }
  const tokens = await read({ source, join }, model)
  if (!tokens.ok) return tokens
  const short = preflight.checkEvaluation(source, tokens.value.tokens.tokens, { window, protocol })
  return short ? { ok: false, problem: short } : tokens
}

/** `step`: which of a run's steps needs the most. */
export type Memory = {
  needed: number
  available: number
  activationLimit: number
  /** The activations go to a file. */
  inFile: boolean
  step: 'quantize' | 'evaluate'
}

function samplingOf(recipe: ResolvedRecipe): Sampling | null {
  return recipe.calibration && { ...recipe.calibration, streams: corrects(recipe) ? 2 : 1 }
}

/** Of the computer. `tokens`: of the evaluation texts, one by one; `onCard`: the plan of the card that the run computes on. */
export async function lookAtMemory(
  context: Context,
  recipe: ResolvedRecipe,
  model: Model,
  tokens: readonly number[],
  onCard: DevicePlan | null = null,
): Promise<Memory> {
  const available = await context.machine.availableMemory()
  const [limit, sampling] = [activationLimit(available), samplingOf(recipe)]
  const quantizing = onCard?.host_bytes ?? memoryNeeded(model, sampling, limit)
  const evaluating = recipe.evaluations.map(({ window }, i) =>
    onCard === null
      ? evaluationMemoryNeeded(model, window, tokens[i] ?? 0)
      : evaluationBesideCard(model, window, tokens[i] ?? 0, limit),
  )
  const needed = Math.max(quantizing, ...evaluating)
  const inFile = onCard === null ? activationsInFile(model, sampling, limit) : onCard.activations === 'disk'
  return { needed, available, activationLimit: limit, inFile, step: needed > quantizing ? 'evaluate' : 'quantize' }
}

export type Disk = { needed: number; free: number }

/** `inFile`: lookAtMemory's; `tokens`: of all texts together, whose ids are kept in the run's folder. */
export async function lookAtDisk(
  context: Context,
  out: string,
  recipe: ResolvedRecipe,
  model: Model,
  inFile: boolean,
  tokens: number,
): Promise<Disk> {
  const { most } = forecast(recipe, model)
  return {
    needed: diskNeeded(model, most.fileBytes, samplingOf(recipe), inFile, tokens),
    free: await context.machine.freeDisk(out),
  }
}

export const memoryProblem = ({ needed, available, step }: Memory): Problem | null =>
  preflight.checkMemory(needed, available, step)
export const diskProblem = (out: string, { needed, free }: Disk): Problem | null =>
  preflight.checkDisk(out, needed, free)
