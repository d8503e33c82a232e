// What a run is called that was given no name.
import { findMethod, unusual } from './methods.ts'
import type { Recipe } from './recipe.ts'

/** Model, method, and the parameters that are not as usual: `TinyLlama gptq bits=3`. */
export function runName(model: string, { method: id, parameters }: Pick<Recipe, 'method' | 'parameters'>): string {
  const method = findMethod(id)
  const changed = Object.entries(method.ok ? unusual(method.value, parameters) : parameters)
  return [lastPart(model), id, ...changed.map(([key, value]) => `${key}=${value}`)].join(' ')
}

/** Of a path of any platform. */
export const lastPart = (path: string): string => path.split(/[/\\]/).findLast((part) => part !== '') ?? path
