// What a packed model will weigh, before anything is computed.
import { linearRecipes, type LinearRecipe, type Treatment } from '../contract/overrides.ts'
import type { Linear } from '../contract/records.ts'
import { weightsOf } from './counts.ts'
import { isSearched, linearCost, orderBytes, salientColumns, sum, type LinearBytes, type LinearCost } from './linear.ts'
import { otherBytes, othersOf, type Measures } from './others.ts'
import { fileBytes, inputOf, type CalibrationNote, type Recipes, type SalientOf } from './shards.ts'
import { dtypeBytes } from './stored.ts'

export type { Measures } from './others.ts'
export { inputOf, longestNote, type CalibrationNote } from './shards.ts'

export type Sizes = {
  /** Bits per weight of the decoder's linears: as the paper counts, and as stored. Kept ones count as they are stored. */
  nominal: number
  linear: number
  /** Bits of all files per parameter of the model. */
  file: number
  linearBytes: number
  fileBytes: number
}

export type Forecast = {
  /** The same as `most` where the method's bytes do not depend on the weights. */
  expected: Sizes
  most: Sizes
  /** Of `expected`. */
  parts: Parts
}

/** Bytes of all files, by what they are for. */
export type Parts = LinearBytes & { order: number; kept: number; embeddings: number; rest: number; headers: number }

/** Of every linear; null: it is kept. */
const recipesOf = (treatment: Treatment, { linears }: Measures): Recipes =>
  linearRecipes(
    treatment,
    linears.map(({ name }) => name),
  )

function salientOf(extent: 'expected' | 'most'): SalientOf {
  const known = new Map<LinearRecipe, Map<number, number>>()
  return (recipe, { columns }) => {
    const counts = known.get(recipe) ?? new Map<number, number>()
    known.set(recipe, counts)
    const count = counts.get(columns) ?? salientColumns(recipe.method, recipe.parameters, columns)?.[extent] ?? 0
    counts.set(columns, count)
    return count
  }
}

/** `calibration`: what the run's will be; undefined where it is not chosen yet, and the most that it can take is said. */
export function forecast(treatment: Treatment, model: Measures, calibration?: CalibrationNote | null): Forecast {
  const expected = sized(treatment, model, salientOf('expected'), calibration)
  const searched = [treatment, ...treatment.overrides].some(({ method }) => method !== undefined && isSearched(method))
  const most = searched ? sized(treatment, model, salientOf('most'), calibration) : expected
  return { expected: expected.sizes, most: most.sizes, parts: expected.parts }
}

/** What it comes to where as many columns are salient. */
export function sized(
  treatment: Treatment,
  model: Measures,
  salient: SalientOf,
  calibration?: CalibrationNote | null,
): { sizes: Sizes; parts: Parts } {
  const recipes = recipesOf(treatment, model)
  const weights = weightsOf(model.linears)
  const order = ordersOf(recipes, model.linears).reduce((total, bytes) => total + bytes, 0)
  const { embeddings, rest } = otherBytes(othersOf(treatment, model))
  const costOf = rememberedCosts()
  const parts: LinearBytes = { codes: 0, signs: 0, second: 0, bitmaps: 0, scales: 0 }
  let [nominal, kept] = [0, 0]
  for (const linear of model.linears) {
    const { rows, columns, dtype } = linear
    const recipe = recipes.get(linear.name)
    if (!recipe) {
      const bytes = rows * columns * (dtypeBytes[dtype ?? model.dtype] ?? 4)
      nominal += 8 * bytes
      kept += bytes
      continue
    }
    const cost = costOf(recipe, linear, salient(recipe, linear))
    nominal += cost.nominal * rows * columns
    parts.codes += cost.bytes.codes
    parts.signs += cost.bytes.signs
    parts.second += cost.bytes.second
    parts.bitmaps += cost.bytes.bitmaps
    parts.scales += cost.bytes.scales
  }
  const linearBytes = sum(parts) + order + kept
  const files = fileBytes(treatment, recipes, model, salient, calibration)
  const sizes: Sizes = {
    nominal: nominal / weights,
    linear: (8 * linearBytes) / weights,
    file: (8 * files) / model.parameters,
    linearBytes,
    fileBytes: files,
  }
  const headers = files - linearBytes - embeddings - rest
  return { sizes, parts: { ...parts, order, kept, embeddings, rest, headers } }
}

/** Linears of one shape and one recipe cost the same. */
function rememberedCosts() {
  const known = new Map<LinearRecipe, Map<string, LinearCost>>()
  return (recipe: LinearRecipe, { rows, columns }: Linear, salient: number): LinearCost => {
    const costs = known.get(recipe) ?? new Map<string, LinearCost>()
    known.set(recipe, costs)
    const key = `${rows} ${columns} ${salient}`
    const cost = costs.get(key) ?? linearCost(recipe.method, recipe.parameters, { rows, columns }, salient)
    costs.set(key, cost)
    return cost
  }
}

/** Bytes of the orders that are stored: linears of one input have one in common. */
function ordersOf(recipes: Recipes, linears: readonly Linear[]): number[] {
  const orders = new Map<string, number>()
  for (const linear of linears) {
    const recipe = recipes.get(linear.name)
    const bytes = recipe ? orderBytes(recipe.method, recipe.parameters, linear.columns) : 0
    if (bytes > 0) orders.set(inputOf(linear), bytes)
  }
  return [...orders.values()]
}
