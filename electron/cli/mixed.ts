// --method mixed: what the options of a command say, planned.
import { failure, success, type Result } from '../contract/errors.ts'
import { findMethod } from '../contract/methods.ts'
import { filled, readSettings } from '../contract/override-text.ts'
import { mixed, type PlanAnswer } from '../contract/plan.ts'
import type { Request } from '../contract/api.ts'
import { readBudget } from './budget.ts'
import { refusal, unfinished, type Reply, type Task } from './command.ts'
import type { Option, Values } from './options.ts'
import { recipeFrom } from './recipe-options.ts'

export const mixedOptions: readonly Option[] = [
  {
    name: 'candidate',
    value: 'METHOD:key=value,...',
    kind: 'list',
    help: 'What a linear may get; may be given again (default signum-rc with one to three signs, gptq with 3 and 4 bits).',
  },
  { name: 'again', kind: 'flag', help: 'Measure the candidates even where that was done before.' },
]

const onlyMixed = mixedOptions.map(({ name }) => name)
const notMixed = ['set', 'preset', 'recipe']

export const isMixed = (values: Values) => values.text('method') === mixed

/** The first option that does not go with the method. */
export function checkMixed(values: Values): Result<null> {
  const [wrong] = (isMixed(values) ? notMixed : onlyMixed).filter((name) => values.given(name))
  if (wrong === undefined) return success(null)
  return failure(
    'option_invalid',
    isMixed(values)
      ? `--${wrong} does not go with --method mixed: say what linears may get with --candidate.`
      : `--${wrong} goes with --method mixed only.`,
  )
}

/** `model`: as typed. */
export async function planned(
  { values, workbench, attention }: Task,
  model: string,
): Promise<{ answer: PlanAnswer } | { reply: Reply }> {
  const request = await requestFrom(values, model)
  if (!request.ok) return { reply: refusal(request.problem) }
  const ending = await workbench.plan(request.value, attention)
  return ending.kind === 'finished' ? { answer: ending.value } : { reply: unfinished(ending, null) }
}

async function requestFrom(values: Values, model: string): Promise<Result<Request<'plan'>>> {
  const asked = values.text('budget')
  if (asked === undefined) {
    return failure('option_invalid', 'Mixed recipes are made for a size: give --budget, such as 2.25bpw or 1.2GB.')
  }
  const budget = readBudget(asked)
  if (!budget.ok) return budget
  const candidates = candidatesFrom(values)
  if (!candidates.ok) return candidates
  // Texts, tables and overrides are read as for any method.
  const plain = { ...values, text: (name: string) => (name === 'method' ? 'signum-rc' : values.text(name)) }
  const recipe = await recipeFrom(plain, model)
  if (!recipe.ok) return recipe
  const { calibration, evaluations, overrides, embedding_type, head_type } = recipe.value!
  if (calibration === null) {
    return failure(
      'calibration_missing',
      'Candidates are measured with a calibration text: --calibration, for example bundled:calibration-broad.',
    )
  }
  return success({
    model,
    calibration,
    evaluations,
    overrides,
    embedding_type,
    head_type,
    budget: budget.value,
    candidates: candidates.value,
    again: values.flag('again'),
    threads: values.integer('threads') ?? 0,
  })
}

function candidatesFrom(values: Values): Result<Request<'plan'>['candidates']> {
  const texts = values.list('candidate')
  const candidates: NonNullable<Request<'plan'>['candidates']> = []
  for (const text of texts) {
    const [id = '', ...settings] = text.split(/[:,]/)
    const method = findMethod(id.trim())
    if (!method.ok) return method
    const parameters = readSettings(method.value, filled(settings))
    if (!parameters.ok) return parameters
    candidates.push({ method: method.value.id, parameters: parameters.value })
  }
  return success(texts.length === 0 ? null : candidates)
}
