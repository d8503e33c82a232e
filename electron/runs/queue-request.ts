// What a waiting run is begun with.
import type { Request } from '../contract/api.ts'
import type { Precision } from '../contract/devices.ts'
import { success, type Result } from '../contract/errors.ts'
import type { RunRow } from '../contract/history.ts'
import { parseRecipe } from '../contract/recipe.ts'
import { readFolder } from './folder.ts'
import type { Waited } from './turns.ts'

/** From its row. `out`: its folder. */
export async function requestOf(
  { recipe: stored, precision, started_at }: RunRow,
  out: string,
  on: Waited & { device: string; why: string | null },
): Promise<Result<Request<'quantize'>>> {
  const recipe = parseRecipe(stored, 'the recipe')
  if (!recipe.ok) return recipe
  // Only its own beginning makes a run go on in a folder: what lies in a new run's folder is somebody else's.
  const resume = started_at !== null && (await readFolder(out)).kind === 'run'
  const model = recipe.value.model ?? null
  const arithmetic = precision === null ? {} : { precision: precision as Precision }
  return success({ model, recipe: recipe.value, out, resume, ...on, ...arithmetic })
}
