// What a packed model will weigh, before anything is computed.
import { linearRecipes, type LinearRecipe, type Treatment } from '../contract/overrides.ts'
import type { Linear, Model } from '../contract/records.ts'
import { headerBytes } from './headers.ts'
import { linearCost, orderBytes, salientColumns, sum, type LinearBytes } from './linear.ts'

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
  /** Of `expected`, by what the bytes are for. */
  parts: LinearBytes & { order: number; kept: number; rest: number }
}

/** What inspect says, as far as sizes depend on it. */
export type Measures = Pick<Model, 'parameters' | 'dtype' | 'linears'>

/** Bytes of one parameter that is stored as it was. */
export const elementBytes: Record<string, number> = { F16: 2, BF16: 2, F32: 4 }

/** Linears with one input in common store one order tensor; which they are is a matter of the block's architecture. */
const sharedInputs: Record<string, string> = { k_proj: 'q_proj', v_proj: 'q_proj', up_proj: 'gate_proj' }
export const inputOf = ({ layer, kind }: Linear): string => `${layer}.${sharedInputs[kind] ?? kind}`

type Recipes = ReadonlyMap<string, LinearRecipe | null>

/** `recipes`: of every linear; null: it is kept. */
export function forecast(
  treatment: Treatment,
  model: Measures,
  recipes: Recipes = linearRecipes(
    treatment,
    model.linears.map(({ name }) => name),
  ),
): Forecast {
  const weights = model.linears.reduce((total, { rows, columns }) => total + rows * columns, 0)
  const element = elementBytes[model.dtype] ?? 4
  const rest = (model.parameters - weights) * element
  const orders = ordersOf(recipes, model.linears)
  const order = orders.reduce((total, bytes) => total + bytes, 0)
  const headers = headerBytes(recipes, model.linears, orders.length)
  const total = (pick: 'expected' | 'most') => {
    const parts: LinearBytes = { codes: 0, signs: 0, second: 0, bitmaps: 0, scales: 0 }
    let [nominal, kept] = [0, 0]
    for (const { name, rows, columns } of model.linears) {
      const recipe = recipes.get(name)
      if (!recipe) {
        nominal += 8 * element * rows * columns
        kept += element * rows * columns
        continue
      }
      const { method, parameters } = recipe
      const salient = salientColumns(method, parameters, columns)?.[pick] ?? 0
      const cost = linearCost(method, parameters, { rows, columns }, salient)
      nominal += cost.nominal * rows * columns
      for (const key of Object.keys(parts) as (keyof LinearBytes)[]) parts[key] += cost.bytes[key]
    }
    const linearBytes = sum(parts) + order + kept
    const fileBytes = linearBytes + rest + headers
    const sizes: Sizes = {
      nominal: nominal / weights,
      linear: (8 * linearBytes) / weights,
      file: (8 * fileBytes) / model.parameters,
      linearBytes,
      fileBytes,
    }
    return { sizes, parts: { ...parts, order, kept, rest } }
  }
  const expected = total('expected')
  return { expected: expected.sizes, most: total('most').sizes, parts: expected.parts }
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
