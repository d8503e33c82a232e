// Recipes as files of their own: what --recipe reads and --save-recipe writes, and what the window opens and shares.
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { failure, success, type Result } from '../contract/errors.ts'
import { bundledPrefix, parseRecipe, recipeJson, type Recipe } from '../contract/recipe.ts'

/** Reads a recipe; its files are named from the folder that it lies in. */
export async function readRecipe(file: string): Promise<Result<Recipe>> {
  let json: unknown
  try {
    json = JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    return failure('recipe_invalid', `The recipe ${file} cannot be read as JSON.`, String(error))
  }
  const recipe = parseRecipe(json, file)
  return recipe.ok ? success(movePaths(recipe.value, (source) => path.resolve(path.dirname(file), source))) : recipe
}

/** Writes a recipe so that it can be moved together with the texts beside it. */
export async function saveRecipe(file: string, recipe: Recipe): Promise<Result<null>> {
  const folder = path.dirname(path.resolve(file))
  const portable = movePaths(recipe, (source) => path.relative(folder, source))
  try {
    await writeFile(file, recipeJson(portable))
    return success(null)
  } catch (error) {
    return failure('write_failed', `The recipe ${file} cannot be written.`, String(error))
  }
}

function movePaths(recipe: Recipe, move: (source: string) => string): Recipe {
  const moved = <T extends { source: string }>(one: T): T =>
    one.source.startsWith(bundledPrefix) ? one : { ...one, source: move(one.source) }
  return {
    ...recipe,
    calibration: recipe.calibration && moved(recipe.calibration),
    evaluations: recipe.evaluations.map(moved),
  }
}
