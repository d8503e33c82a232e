// What a run is called that was given no name.
import path from 'node:path'
import { findMethod, unusual } from '../contract/methods.ts'
import type { Recipe } from '../contract/recipe.ts'

/** Model, method, and the parameters that are not as usual: `TinyLlama gptq bits=3`. */
export function runName(model: string, { method: id, parameters }: Pick<Recipe, 'method' | 'parameters'>): string {
  const method = findMethod(id)
  const changed = Object.entries(method.ok ? unusual(method.value, parameters) : parameters)
  return [path.basename(model), id, ...changed.map(([key, value]) => `${key}=${value}`)].join(' ')
}
