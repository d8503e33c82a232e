// The recipes of several runs beside each other: a row a key, a column a run. Pure.
import type { RunRow } from '../../../../electron/contract/history.ts'
import { recipeEntries, recipeOrder } from '../differences.ts'

export type RecipeRow = {
  key: string
  /** By run; null: this recipe has no such thing. */ values: (string | null)[]
  differs: boolean
}

/** In the order of a recipe. */
export function recipeTable(recipes: readonly RunRow['recipe'][]): RecipeRow[] {
  const entries = recipes.map(recipeEntries)
  const keys = [...new Set(entries.flatMap((one) => [...one.keys()]))].sort((a, b) => recipeOrder(a) - recipeOrder(b))
  return keys.map((key) => {
    const values = entries.map((one) => one.get(key) ?? null)
    return { key, values, differs: new Set(values).size > 1 }
  })
}
