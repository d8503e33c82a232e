// Runs of the bundled model that are there before a story begins.
import path from 'node:path'
import { expect } from '@playwright/test'
import type { Recipe } from '../electron/contract/recipe.ts'
import type { Workbench } from '../electron/workbench.ts'

export const demoModel = path.resolve(import.meta.dirname, '..', 'resources', 'models', 'signum-stories-4m')

type Wish = Pick<Recipe, 'method'> & { parameters?: Recipe['parameters']; name?: string; sequences?: number }

export const recipeOf = ({ method, parameters = {}, sequences = 8 }: Wish): Recipe => ({
  signum_recipe: 1,
  method,
  parameters,
  overrides: [],
  embedding_type: 'source',
  head_type: 'source',
  calibration:
    method === 'rtn'
      ? null
      : { source: 'bundled:calibration-stories', sampling: 'sequential', sequences, length: 256, seed: 0, join: 'raw' },
  evaluations: [{ source: 'bundled:evaluation-tales', window: 256, protocol: 'papers', join: 'raw' }],
})

/** Makes one run after another; the first gets number 1. */
export const runsBefore =
  (...wishes: Wish[]) =>
  async (workbench: Workbench, data: string): Promise<void> => {
    for (const [index, wish] of wishes.entries()) {
      const ending = await workbench.quantize({
        model: demoModel,
        recipe: recipeOf(wish),
        out: path.join(data, 'runs', String(index + 1)),
        name: wish.name ?? null,
      })
      expect(ending.kind, JSON.stringify(ending)).toBe('finished')
    }
  }
