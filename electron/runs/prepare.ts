// The first part of a run: everything is read and checked, nothing is written. What comes out can be started.
import { availableParallelism } from 'node:os'
import path from 'node:path'
import type { Attention, Ending, Request } from '../contract/api.ts'
import { failure, success, type Result } from '../contract/errors.ts'
import { findMethod } from '../contract/methods.ts'
import { parseRecipe, type Evaluation, type Recipe } from '../contract/recipe.ts'
import type { Model, RunReport } from '../contract/records.ts'
import { forecast } from '../bits/forecast.ts'
import { refused, work, type Context } from './context.ts'
import { readFolder } from './folder.ts'
import { activationLimit, diskNeeded, memoryNeeded } from './needs.ts'
import * as preflight from './preflight.ts'
import { readSource, type SourceTokens } from './source.ts'

export type ResolvedEvaluation = Evaluation & { window: number }
export type ResolvedRecipe = Omit<Recipe, 'model' | 'calibration' | 'evaluations'> & {
  model: string
  calibration: preflight.ResolvedCalibration | null
  evaluations: ResolvedEvaluation[]
}

export type PreparedRun = {
  out: string
  threads: number
  model: Model
  recipe: ResolvedRecipe
  calibration: SourceTokens | null
  evaluations: SourceTokens[]
  activationLimit: number
  /** The folder is new or empty. */
  fresh: boolean
  /** The worker has begun here before. */
  resume: boolean
  /** Of a run that is finished. */
  report: RunReport | null
}

/** Windows and sequences are as long as the model's context, but no longer than this unless asked. */
const usualLength = 2048
const standardLength = (context: number) => Math.min(context, usualLength)

export async function prepare(
  context: Context,
  request: Request<'quantize'>,
  attention: Attention,
): Promise<Ending<PreparedRun>> {
  const out = path.resolve(request.out)
  const resume = request.resume ?? false
  const state = await readFolder(out)
  const occupied = preflight.checkFolder(out, state, resume)
  if (occupied) return refused(occupied)
  const chosen = choose(request, state.kind === 'run' ? state.recipe : null)
  if (!chosen.ok) return refused(chosen.problem)
  const { folder, recipe: asked } = chosen.value

  const inspected = await work(context, 'inspect', { version: 1, threads: 1, model: folder }, attention, null)
  if (inspected.kind !== 'finished') return inspected
  const model = inspected.value
  if (model.packed) {
    return refused(failure('already_quantized', `${folder} is a packed model already: quantize the original.`).problem)
  }
  const recipe = resolve(asked, folder, model)
  if (state.kind === 'run') {
    const different = preflight.checkSame(state.recipe, recipe)
    if (different) return refused(different)
  }
  const texts = await readTexts(context.root, recipe, model)
  if (!texts.ok) return refused(texts.problem)
  const needs = await checkMachine(context, out, recipe, model, texts.value, state.kind === 'run')
  if (!needs.ok) return refused(needs.problem)
  const prepared = {
    out,
    threads: request.threads || availableParallelism(),
    model,
    recipe,
    ...texts.value,
    activationLimit: needs.value,
    fresh: state.kind === 'fresh',
    resume: state.kind === 'run' && state.begun,
    report: state.kind === 'run' ? state.report : null,
  }
  return { kind: 'finished', value: prepared }
}

/** Model and recipe: those asked for, or with `resume` those of the run. */
function choose(request: Request<'quantize'>, begun: Recipe | null): Result<{ folder: string; recipe: Recipe }> {
  const given = request.recipe ?? begun
  const folder = request.model ?? given?.model
  if (!given || folder === undefined) return failure('option_invalid', 'A run needs a model and a method.')
  const recipe = parseRecipe(given, 'the recipe')
  if (!recipe.ok) return recipe
  const method = findMethod(recipe.value.method)
  if (!method.ok) return method
  if (method.value.needsCalibration && recipe.value.calibration === null) {
    return failure(
      'calibration_missing',
      `${recipe.value.method} needs a calibration text: give --calibration TEXT or X.u32, for example --calibration bundled:calibration-stories.`,
    )
  }
  return success({ folder: path.resolve(folder), recipe: recipe.value })
}

function resolve(recipe: Recipe, folder: string, model: Model): ResolvedRecipe {
  const { calibration, evaluations } = recipe
  const standard = standardLength(model.context)
  return {
    ...recipe,
    model: folder,
    calibration: calibration && { ...calibration, length: calibration.length ?? standard },
    evaluations: evaluations.map((one) => ({ ...one, window: one.window ?? standard })),
  }
}

export const windowOf = (window: number | null, model: Model): number => window ?? standardLength(model.context)

type Texts = Pick<PreparedRun, 'calibration' | 'evaluations'>

async function readTexts(root: string, recipe: ResolvedRecipe, model: Model): Promise<Result<Texts>> {
  const texts: Texts = { calibration: null, evaluations: [] }
  if (recipe.calibration !== null) {
    const { source, length } = recipe.calibration
    const far = preflight.checkContext('A calibration sequence', length, model.context)
    if (far) return { ok: false, problem: far }
    const read = await readSource(root, source, model)
    if (!read.ok) return read
    const short = preflight.checkCalibration(read.value.tokens.tokens, recipe.calibration)
    if (short) return { ok: false, problem: short }
    texts.calibration = read.value
  }
  for (const { source, window } of recipe.evaluations) {
    const read = await readEvaluation(root, source, window, model)
    if (!read.ok) return read
    texts.evaluations.push(read.value)
  }
  return success(texts)
}

export async function readEvaluation(
  root: string,
  source: string,
  window: number,
  model: Model,
): Promise<Result<SourceTokens>> {
  const far = preflight.checkContext('A window', window, model.context)
  if (far) return { ok: false, problem: far }
  const read = await readSource(root, source, model)
  if (!read.ok) return read
  const short = preflight.checkEvaluation(source, read.value.tokens.tokens, window)
  return short ? { ok: false, problem: short } : read
}

/** Disk and memory; what may be spent on activations when both suffice. */
async function checkMachine(
  context: Context,
  out: string,
  recipe: ResolvedRecipe,
  model: Model,
  texts: Texts,
  resumed: boolean,
): Promise<Result<number>> {
  const available = await context.machine.availableMemory()
  const limit = activationLimit(available)
  const memory = preflight.checkMemory(memoryNeeded(model, recipe.calibration, limit), available)
  if (memory) return { ok: false, problem: memory }
  const { most } = forecast(recipe.method, recipe.parameters, model)
  const tokens = [texts.calibration, ...texts.evaluations].reduce(
    (total, text) => total + (text?.tokens.tokens ?? 0),
    0,
  )
  const needed = diskNeeded(model, most.fileBytes, recipe.calibration, limit, tokens)
  // What a resumed run has written already is the worker's to know; it checks again.
  const disk = resumed ? null : preflight.checkDisk(out, needed, await context.machine.freeDisk(out))
  return disk ? { ok: false, problem: disk } : success(limit)
}
