// A sweep: the grid of recipes over what is varied, each with a name of what differs, or with why it cannot be. Pure.
import { chosenBy, pickPoint, type Budget, type Curve } from '../../../electron/contract/curve.ts'
import type { MethodId, Parameters } from '../../../electron/contract/methods.ts'
import type { Parameter, ParameterValue } from '../../../electron/contract/parameters.ts'
import { bits, size } from '../../../electron/contract/quantities.ts'
import {
  needingCalibration,
  parseRecipe,
  recipeJson,
  type Calibration,
  type Recipe,
} from '../../../electron/contract/recipe.ts'
import { methodOf } from './draft.ts'
import { readNumbers, readValues } from './sweep-values.ts'

/** More would not be looked at, and not be run. */
export const mostRecipes = 500

/** A line of the form. `key`: a parameter's, or one of `calibrationKeys`. `text`: its values as typed. */
export type Axis = { id: number; key: string; text: string }

export type Plan = {
  methods: readonly MethodId[]
  axes: readonly Axis[]
  /** As typed; '' for none. */
  budgets: string
  by: Budget['by']
  /** Bytes, or bits, of one of the numbers typed. */
  unit: number
}

/** What stays: everything of a recipe but the method's parameters, and what each method has that is not as usual. */
export type Base = {
  recipe: Omit<Recipe, 'method' | 'parameters'>
  given: Partial<Record<MethodId, Parameters>>
  calibration: Calibration
  context: number
  /** By method, what a budget chooses; where that is known it need not be asked for. */
  chooses: Partial<Record<MethodId, readonly string[]>>
}

export type Item = {
  /** Unique, and the same as long as the recipe is. */
  key: string
  /** What differs. */
  name: string
  recipe: Recipe | null
  /** Why it cannot be. */
  problem: string | null
  /** The budget is still to be looked up. */
  waits: boolean
}

export type Grid = { items: Item[]; problems: ReadonlyMap<string, string>; count: number; wanted: Wish[] }

/** Parameters of a method whose curve is needed. */
export type Wish = { method: MethodId; fixed: Parameters }
export const wishKey = ({ method, fixed }: Wish): string => JSON.stringify([method, fixed])

const whole = (key: string, help: string, min: number, max: number, usual: number): Parameter => ({
  key,
  symbol: '',
  unit: '',
  help,
  type: 'integer',
  min,
  max,
  default: usual,
})
/** What of the calibration can be varied, as parameters. */
export const calibrationKeys = (context: number): Parameter[] => [
  whole('sequences', 'Calibration sequences.', 1, 1_000_000, 128),
  whole('length', 'Tokens of a calibration sequence.', 2, context, Math.min(2048, context)),
  whole('seed', 'Of calibration windows that are drawn.', 0, 0xffff_ffff, 0),
]

/** Every parameter that one of the methods has, each key once. */
export function parametersOf(methods: readonly MethodId[], context: number): Parameter[] {
  const all = methods.flatMap((id) => [...methodOf(id).parameters])
  return [...new Map([...all, ...calibrationKeys(context)].map((one) => [one.key, one])).values()]
}

type Values = { key: string; values: readonly ParameterValue[] }

/** `curves`: those that are known, by wishKey; `wanted` says which are missing. */
export function gridOf(base: Base, plan: Plan, curves: ReadonlyMap<string, Curve>): Grid {
  const problems = new Map<string, string>()
  const ofCalibration = new Map(calibrationKeys(base.context).map((one) => [one.key, one]))
  const budgets = readNumbers(plan.budgets)
  if (!budgets.ok) problems.set('budgets', budgets.problem.message)
  const sizes = budgets.ok && budgets.value.length > 0 ? budgets.value.map((one) => one * plan.unit) : [null]
  const shared: Values[] = []
  const axes: Axis[] = []
  for (const [at, axis] of plan.axes.entries()) {
    if (plan.axes.findIndex(({ key }) => key === axis.key) < at) {
      problems.set(String(axis.id), 'It is varied above already.')
      continue
    }
    const parameter = ofCalibration.get(axis.key)
    const mine = plan.methods.some((id) => parameterOf(id, axis.key))
    if (!parameter && !mine) problems.set(String(axis.id), 'None of the chosen methods has it.')
    if (!parameter) axes.push(axis)
    else {
      const read = readValues(parameter, axis.text)
      if (read.ok) shared.push({ key: axis.key, values: read.value })
      else problems.set(String(axis.id), read.problem.message)
    }
  }
  const calibrations = across(shared)
  const wanted = new Map<string, Wish>()
  const items: Item[] = []
  let count = 0
  for (const method of plan.methods) {
    const values: Values[] = []
    for (const axis of axes) {
      const parameter = parameterOf(method, axis.key)
      if (!parameter) continue
      const read = readValues(parameter, axis.text)
      if (read.ok) values.push({ key: axis.key, values: read.value })
      // Methods differ in what the same parameter may be.
      else problems.set(String(axis.id), `${methodOf(method).title}: ${read.problem.message}`)
    }
    const combinations = product(values) * sizes.length * calibrations.length
    count += combinations
    if (count > mostRecipes) continue
    for (const chosen of across(values)) {
      for (const budget of sizes) {
        for (const calibration of calibrations) {
          items.push(itemOf(base, plan, { method, chosen, budget, calibration }, curves, wanted))
        }
      }
    }
  }
  const few = count <= mostRecipes ? unlike(items) : []
  return { items: few, problems, count, wanted: [...wanted.values()] }
}

type Point = { method: MethodId; chosen: Parameters; budget: number | null; calibration: Parameters }

function itemOf(
  base: Base,
  { by }: Plan,
  { method: id, chosen, budget, calibration }: Point,
  curves: ReadonlyMap<string, Curve>,
  wanted: Map<string, Wish>,
): Item {
  const said = [...Object.entries(chosen), ...Object.entries(calibration)].map(([key, value]) => `${key}=${value}`)
  const budgetText = budget === null ? [] : [by === 'linear' ? `${Number(budget.toFixed(4))}bpw` : size(budget)]
  const name = [id, ...said, ...budgetText].join(' ')
  const item = { key: name, name, recipe: null, problem: null, waits: false }
  let parameters: Parameters = { ...base.given[id], ...chosen }
  if (budget !== null) {
    const wish = { method: id, fixed: parameters }
    const curve = curves.get(wishKey(wish))
    const both = (curve?.chooses ?? base.chooses[id] ?? []).filter((key) => key in chosen)
    if (both.length > 0) return { ...item, problem: `The budget chooses ${both.join(' and ')}: vary one or the other.` }
    if (!curve) {
      wanted.set(wishKey(wish), wish)
      return { ...item, waits: true }
    }
    const picked = pickPoint(curve, { by, value: budget })
    if (picked === null) return { ...item, problem: 'These parameters rule out every size.' }
    if (picked.reach === 'over') {
      const least = by === 'linear' ? `${bits(picked.point.linear)} linear bits` : size(picked.point.file_bytes)
      return { ...item, problem: `${methodOf(id).title} cannot get below ${least}.` }
    }
    parameters = { ...parameters, ...chosenBy(curve, picked.point) }
  }
  const treatment = { ...base.recipe, method: id, parameters }
  const parsed = parseRecipe({ ...treatment, calibration: null }, 'the recipe')
  if (!parsed.ok) return { ...item, problem: parsed.problem.message }
  const needs = needingCalibration(parsed.value) !== null || base.recipe.calibration !== null
  const recipe = { ...parsed.value, calibration: needs ? { ...base.calibration, ...calibration } : null }
  if (!needs && Object.keys(calibration).length > 0) {
    return { ...item, problem: 'Needs no calibration text: there is nothing to vary.' }
  }
  return { ...item, recipe }
}

/** Of recipes that come to the same only the first can be run. */
function unlike(items: readonly Item[]): Item[] {
  const seen = new Map<string, string>()
  return items.map((item) => {
    if (item.recipe === null) return item
    const json = recipeJson(item.recipe)
    const first = seen.get(json)
    seen.set(json, first ?? item.name)
    return first === undefined ? item : { ...item, recipe: null, problem: `The same recipe as ${first}.` }
  })
}

const parameterOf = (id: MethodId, key: string) => methodOf(id).parameters.find((one) => one.key === key)
const product = (values: readonly Values[]): number => values.reduce((count, one) => count * one.values.length, 1)

function across(values: readonly Values[]): Parameters[] {
  return values.reduce<Parameters[]>(
    (all, { key, values: some }) => all.flatMap((one) => some.map((value) => ({ ...one, [key]: value }))),
    [{}],
  )
}
