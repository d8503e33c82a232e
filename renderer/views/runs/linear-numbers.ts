// What the map and the lines by depth can show of a run's linears, and what it is until somebody chooses. Pure.
import { recipeText } from '../../../electron/contract/override-text.ts'
import { linearRecipes, type Treatment } from '../../../electron/contract/overrides.ts'
import type { LayerReport } from '../../../electron/contract/records.ts'
import { measureOf } from '../../drawing/chart/error-by-depth.ts'
import { layerNumbers, numbersOf, type LayerNumber } from '../../drawing/layer-number.ts'
import { runColour } from '../../drawing/run-colour.ts'

/** The linear's recipe instead of a number, where a run has several. */
export const byRecipe = 'recipe'

/** The chosen number if these linears have it, else their error. `more`: numbers from elsewhere. */
export function numberFor(
  reports: readonly LayerReport[],
  chosen: string | null,
  more: readonly LayerNumber[] = [],
): LayerNumber {
  const usual = measureOf(reports) === 'relative_output_error' ? 'output_error' : 'weight_error'
  const all = [...layerNumbers, ...more]
  return (
    numbersOf(all, reports).find(({ id }) => id === chosen) ?? all.find(({ id }) => id === usual) ?? layerNumbers[0]!
  )
}

export type RecipeSort = { name: string; colour: string }

/** By linear: its recipe in words, in a colour of its own; null where all linears have the same. */
export function recipeSorts(treatment: Treatment, names: readonly string[]): ReadonlyMap<string, RecipeSort> | null {
  if (treatment.overrides.length === 0) return null
  const recipes = linearRecipes(treatment, names)
  const texts = names.map((name) => recipeText(recipes.get(name) ?? null))
  const known = [...new Set(texts)].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  if (known.length < 2) return null
  return new Map(names.map((name, k) => [name, { name: texts[k]!, colour: runColour(known.indexOf(texts[k]!)) }]))
}
