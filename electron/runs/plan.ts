// A budget divided among the linears of a model: measured where that was not done before, then planned.
import { availableParallelism } from 'node:os'
import type { Answer, Attention, Ending, Request } from '../contract/api.ts'
import { windowOf } from '../contract/evaluation.ts'
import { failure } from '../contract/errors.ts'
import { checkOverrides } from '../contract/overrides.ts'
import { planRequestSchema, resolveCandidates } from '../contract/plan.ts'
import { parseRecipe } from '../contract/recipe.ts'
import { lossCurve, planOf } from '../bits/planner/plan.ts'
import { checkModel, readCalibration } from './checks.ts'
import { endingOf, refused, type Context } from './context.ts'
import { noteOf } from './forecast.ts'
import { originalIn } from './library.ts'
import { keepMeasured, measureCandidates, measurementFile, readMeasured, type Wanted } from './measured.ts'
import { sourceReader } from './source.ts'

export async function plan(
  context: Context,
  request: Request<'plan'>,
  attention: Attention,
): Promise<Ending<Answer<'plan'>>> {
  const { budget, measure, again, threads, ...asked } = planRequestSchema.parse(request)
  const { overrides, embedding_type, head_type, calibration, evaluations } = asked
  const candidates = resolveCandidates(asked.candidates)
  if (!candidates.ok) return refused(candidates.problem)
  const own = overrides.find(({ keep, method }) => keep === undefined && method === undefined)
  if (own !== undefined) {
    const message = `The override '${own.match}' must name its method, or keep its linears: with mixed there is no usual one.`
    return refused(failure('recipe_invalid', message).problem)
  }
  const [first] = candidates.value
  const sound = checkOverrides({ ...first!, overrides })
  if (!sound.ok) return refused(sound.problem)
  const found = await originalIn(context, asked.model, attention)
  if (found.kind !== 'finished') return found
  const model = found.value
  const checked = checkModel({ overrides, embedding_type, head_type }, model)
  if (!checked.ok) return refused(checked.problem)
  const resolved = { ...calibration, length: windowOf(calibration.length, model) }
  const text = await readCalibration(sourceReader(context.root), resolved, model)
  if (!text.ok) return refused(text.problem)

  const wanted = {
    model,
    candidates: candidates.value,
    calibration: resolved,
    text: text.value,
    threads: threads || availableParallelism(),
  }
  const file = await measurementFile(context, wanted)
  const before = again ? null : await readMeasured(file)
  if (before === null && !measure) {
    const message = 'These candidates were not measured on this model with this calibration yet.'
    return refused(failure('not_measured', message).problem)
  }
  const measured = before ?? (await measureAndKeep(context, wanted, file, attention))
  if ('kind' in measured) return measured
  const beside = { overrides, embedding_type, head_type }
  const planned = planOf(measured, model, budget, beside, await noteOf(context, calibration, model))
  if (!planned.ok) return refused(planned.problem)
  const { treatment, plan: chosen } = planned.value
  const recipe = parseRecipe({ signum_recipe: 1, ...treatment, calibration, evaluations }, 'the plan')
  if (!recipe.ok) return endingOf(recipe)
  const curve = lossCurve(measured, model, beside)
  return { kind: 'finished', value: { recipe: recipe.value, plan: chosen, measured, file, curve } }
}

async function measureAndKeep(context: Context, wanted: Wanted, file: string | null, attention: Attention) {
  const ending = await measureCandidates(context, wanted, attention)
  if (ending.kind !== 'finished') return ending
  try {
    if (file !== null) await keepMeasured(file, ending.value)
  } catch (error) {
    attention.onNote?.({
      code: 'not_kept',
      message: `What was measured could not be kept in ${file}: ${String(error)}`,
    })
  }
  return ending.value
}
