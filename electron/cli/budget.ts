// --budget: the parameters of a method that make the largest file within it.
import { chosenBy, kept, pickPoint, type Budget, type Curve, type CurvePoint } from '../contract/curve.ts'
import { failure, success, type Result } from '../contract/errors.ts'
import { findMethod, unusual } from '../contract/methods.ts'
import * as quantities from '../contract/quantities.ts'
import type { Recipe } from '../contract/recipe.ts'
import { refusal, unfinished, type Reply, type Task } from './command.ts'
import type { Option, Values } from './options.ts'

export const budgetOption: Option = {
  name: 'budget',
  value: 'SIZE',
  kind: 'text',
  help: 'Choose the parameters for the largest file within SIZE: 1.7bpw (linear bits per weight), 900MB or 1.2GB (of all files).',
}

const units: Record<string, number> = { kb: 1e3, mb: 1e6, gb: 1e9, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30 }

const sizeForm = /^(\d+(?:\.\d*)?|\.\d+)\s*([a-z]+)$/i

/** 900MB, 1.2 GiB; null: no size. */
export function readBytes(text: string): number | null {
  const [, amount, unit = ''] = sizeForm.exec(text) ?? []
  const bytes = Number(amount) * (units[unit.toLowerCase()] ?? Number.NaN)
  return bytes > 0 ? bytes : null
}

export function readBudget(text: string): Result<Budget> {
  const [, amount, unit = ''] = sizeForm.exec(text) ?? []
  const value = Number(amount)
  if (value > 0 && unit.toLowerCase() === 'bpw') return success({ by: 'linear', value })
  const bytes = readBytes(text)
  if (bytes !== null) return success({ by: 'file_bytes', value: bytes })
  return failure('option_invalid', `--budget must be bits per weight or bytes, such as 1.7bpw or 900MB, not '${text}'.`)
}

/** The recipe with the parameters that the budget chooses, or what to say instead. */
export type Fitted = { recipe: Recipe | null } | { reply: Reply }

const refuse = (...why: Parameters<typeof failure>): Fitted => ({ reply: refusal(failure(...why).problem) })

export async function fitBudget(
  { values, workbench, attention }: Task,
  model: string,
  recipe: Recipe,
): Promise<Fitted> {
  const asked = values.text('budget') ?? ''
  const budget = readBudget(asked)
  if (!budget.ok) return { reply: refusal(budget.problem) }
  const method = findMethod(recipe.method)
  if (!method.ok) return { reply: refusal(method.problem) }
  const given = unusual(method.value, recipe.parameters)
  const { overrides, embedding_type, head_type, calibration } = recipe
  const ending = await workbench.curves(
    { model, fixed: { [recipe.method]: given }, overrides, embedding_type, head_type, calibration },
    attention,
  )
  if (ending.kind !== 'finished') return { reply: unfinished(ending, null) }
  const curve = ending.value.find((one) => one.method === recipe.method)!
  const twice = setByHand(values, curve)
  if (twice !== null)
    return refuse('option_invalid', `--budget chooses ${twice}: leave out --set ${twice}, or --budget.`)
  const picked = pickPoint(curve, budget.value)
  if (picked === null) {
    const others = Object.keys(kept(given, curve)).join(', ')
    return refuse(
      'recipe_invalid',
      `No ${curve.chooses.join(' or ')} of ${recipe.method} goes with the given ${others}.`,
    )
  }
  const size = curve.exact
    ? sizesOf(picked.point)
    : `about ${sizesOf(picked.point)}, ${atMost(picked.point, budget.value.by)}`
  if (picked.reach === 'over') {
    const least = `The least that ${recipe.method} can reach on this model is ${size}`
    return refuse('budget_too_small', `${least}; --budget says ${asked}.`)
  }
  const chosen = Object.entries(chosenBy(curve, picked.point)).map(([key, value]) => `${key}=${value}`)
  const most = picked.reach === 'short' ? ', the most that it can use' : ''
  attention.onNote?.({ code: 'budget', message: `${chosen.join(' ')} for ${size}${most}.` })
  return { recipe: { ...recipe, parameters: picked.point.parameters } }
}

const sizesOf = (point: CurvePoint) =>
  `${quantities.bits(point.linear)} linear bits per weight, ${quantities.size(point.file_bytes)} of files`

/** What the weights decide a part of can come to. */
const atMost = (point: CurvePoint, by: Budget['by']) =>
  by === 'linear'
    ? `at most ${quantities.bits(point.most_linear)} linear bits per weight`
    : `at most ${quantities.size(point.most_file_bytes)} of files`

/** The first parameter that both a --set and the budget would choose. */
function setByHand(values: Values, { chooses }: Curve): string | null {
  const set = values.list('set').map((text) => text.split('=')[0]!.trim())
  return chooses.find((key) => set.includes(key)) ?? null
}
