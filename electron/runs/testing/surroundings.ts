// Runs with a worker that only pretends, and a history of their own.
import path from 'node:path'
import { parseRecipe, type Recipe } from '../../contract/recipe.ts'
import type { History } from '../../history/history.ts'
import type { Context } from '../context.ts'

export const root = path.resolve(import.meta.dirname, '..', '..', '..')
export const model = path.join(root, 'resources', 'models', 'signum-stories-4m')
export const fakeWorker = path.join(root, 'electron', 'worker', 'testing', 'fake-worker.mjs')

export const contextOf = (history: History, changes: Partial<Context> = {}): Context => ({
  root,
  version: 'test',
  worker: { ok: true, value: fakeWorker },
  machine: { availableMemory: () => Promise.resolve(8e9), freeDisk: () => Promise.resolve(8e9) },
  history: () => Promise.resolve({ ok: true, value: history }),
  retry: 20,
  ...changes,
})

export function recipe(changes: object = {}): Recipe {
  const asked = { signum_recipe: 1, method: 'rtn', evaluations: [], ...changes }
  const parsed = parseRecipe(asked, 'test')
  if (!parsed.ok) throw new Error(parsed.problem.message)
  return parsed.value
}
