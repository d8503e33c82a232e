// What a run is called that was given no name.
import path from 'node:path'
import { findMethod } from '../contract/methods.ts'
import type { Recipe } from '../contract/recipe.ts'

/** Model, method, and the parameters that are not as usual: `TinyLlama gptq bits=3`. */
export function runName(model: string, { method: id, parameters }: Pick<Recipe, 'method' | 'parameters'>): string {
  const method = findMethod(id)
  const usual = new Map(method.ok ? method.value.parameters.map((one) => [one.key, one.default]) : [])
  const changed = Object.entries(parameters).filter(([key, value]) => usual.get(key) !== value)
  return [path.basename(model), id, ...changed.map(([key, value]) => `${key}=${value}`)].join(' ')
}
