// What more bits would gain of a finished run, where its model was measured; else how long measuring takes.
import { processor } from '../contract/devices.ts'
import { availableParallelism } from 'node:os'
import type { Answer, Attention, Ending, Request } from '../contract/api.ts'
import { linearRecipes, type LinearRecipe } from '../contract/overrides.ts'
import { resolveCandidates } from '../contract/plan.ts'
import { bundledPrefix, type Calibration, type Recipe } from '../contract/recipe.ts'
import type { Model } from '../contract/records.ts'
import { gainsOf } from '../bits/planner/gains.ts'
import { weightsOf } from '../bits/counts.ts'
import { resolve } from './checks.ts'
import type { Context } from './context.ts'
import { experiences, learned, type Experience } from './forecast-learned.ts'
import { probeSeconds, total, type Seconds } from './forecast-time.ts'
import { originalIn } from './library.ts'
import { probeTokens } from './measured.ts'
import { plan } from './plan.ts'
import { report as reportOf } from './run-files.ts'

/** Where the run itself read no text. */
const usualCalibration: Calibration = {
  source: `${bundledPrefix}calibration-broad`,
  sampling: 'sequential',
  sequences: 32,
  length: 256,
  seed: 0,
  join: 'raw',
}
/** More than any candidate comes to: nothing is decided by it. */
const anyBudget = { by: 'linear', value: 64 } as const

export async function gains(
  context: Context,
  { id, threads = 0 }: Request<'gains'>,
  attention: Attention,
): Promise<Ending<Answer<'gains'>>> {
  const found = await reportOf(context, id)
  if (found.kind !== 'finished') return found
  const { recipe, layers, model: made } = found.value
  const original = await originalIn(context, recipe.model ?? made.path, attention)
  if (original.kind !== 'finished') return original
  const model = original.value
  const calibration = recipe.calibration ?? shortened(usualCalibration, model)
  const asked = { model: model.path, calibration, budget: anyBudget, measure: false, threads }
  const planned = await plan(context, asked, attention)
  if (planned.kind !== 'finished') {
    if (planned.kind !== 'failed' || planned.problem.code !== 'not_measured') return planned
    const seconds = await measuringSeconds(context, model, calibration, threads || availableParallelism())
    return { kind: 'finished', value: { calibration, known: null, seconds } }
  }
  const { measured } = planned.value
  const recipes = linearRecipes(
    recipe,
    layers.map(({ name }) => name),
  )
  const rows = new Map(
    layers.map(({ name, bytes, relative_output_error: error }) => [
      name,
      { recipe: recipes.get(name) ?? null, bytes, error },
    ]),
  )
  const { candidates, measured_at, seconds } = measured
  const known = { candidates, linears: gainsOf(measured, model, rows), measured_at }
  return { kind: 'finished', value: { calibration, known, seconds } }
}

const shortened = (calibration: Calibration, { context }: Model): Calibration => ({
  ...calibration,
  length: Math.min(calibration.length ?? context, context),
})

/** Every usual candidate on every linear, each as its own run would take, over one pass of the text, and the probes. */
async function measuringSeconds(
  context: Context,
  model: Model,
  calibration: Calibration,
  threads: number,
): Promise<number> {
  const history = await context.history?.()
  const past: Experience[] = history?.ok ? await experiences(history.value) : []
  const candidates = resolveCandidates(null)
  const each = (candidates.ok ? candidates.value : []).map((one): Seconds => {
    const recipe = resolve(recipeOf(one, calibration), model.path, model)
    return learned({ model, folder: model.path, recipe, tokens: [], fileBytes: 0, threads, device: processor }, past)
      .seconds
  })
  const quantize = each.reduce((sum, seconds) => sum + (seconds['quantize'] ?? 0), 0)
  const once = Math.max(0, ...each.map((seconds) => total({ ...seconds, quantize: 0, evaluate: 0, write: 0 })))
  return quantize + once + probeSeconds(model, weightsOf(model.linears), probeTokens, threads)
}

const recipeOf = ({ method, parameters }: LinearRecipe, calibration: Calibration): Recipe => ({
  signum_recipe: 1,
  method,
  // The errors of a plan are measured without it (docs/METHODS.md).
  parameters: 'correction' in parameters ? { ...parameters, correction: 0 } : parameters,
  overrides: [],
  embedding_type: 'source',
  head_type: 'source',
  calibration,
  evaluations: [],
})
