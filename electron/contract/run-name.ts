// What a run is called that was given no name.
import { findMethod, unusual } from './methods.ts'
import type { Recipe } from './recipe.ts'
import { chosenTables, type TableTypes } from './tables.ts'

type Named = Pick<Recipe, 'method' | 'parameters' | 'overrides'> & Partial<TableTypes>

/** Model, method, and the parameters that are not as usual: `TinyLlama gptq bits=3 +2 overrides`. */
export function runName(model: string, { method: id, parameters, overrides, ...tables }: Named): string {
  const method = findMethod(id)
  const changed = Object.entries(method.ok ? unusual(method.value, parameters) : parameters)
  const said = [...changed, ...chosenTables(tables)]
  const words = [lastPart(model), id, ...said.map(([key, value]) => `${key}=${value}`)]
  if (overrides.length > 0) words.push(`+${overrides.length} override${overrides.length === 1 ? '' : 's'}`)
  return words.join(' ')
}

/** Of a path of any platform. */
export const lastPart = (path: string): string => path.split(/[/\\]/).findLast((part) => part !== '') ?? path
