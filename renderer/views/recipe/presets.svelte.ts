// Recipes under names: saved, chosen, renamed, deleted, and shared as JSON with whoever else has Signum.
import { failure, type Problem, type Result } from '../../../electron/contract/errors.ts'
import { outOf } from '../../../electron/contract/command-line.ts'
import { parseRecipe, recipeJson, type Recipe } from '../../../electron/contract/recipe.ts'
import type { Preset } from '../../../electron/contract/settings.ts'
import { ask as askWindow } from '../../client/client.ts'
import { notices } from '../../client/notices.svelte.ts'
import { settings } from '../../client/settings.svelte.ts'

/** A recipe from elsewhere, as text. */
export function readRecipeText(text: string): Result<Recipe> {
  try {
    return parseRecipe(JSON.parse(text), 'the text')
  } catch (error) {
    return failure('recipe_invalid', 'The text is no JSON.', String(error))
  }
}

/** The same whatever is left out because it is as usual. */
export function sameRecipe(one: unknown, other: unknown): boolean {
  const [a, b] = [one, other].map((json) => parseRecipe(json, ''))
  return a?.ok === true && b?.ok === true && recipeJson(a.value) === recipeJson(b.value)
}

export class Presets {
  problem = $state.raw<Problem | null>(null)
  #ask: typeof askWindow
  #now: () => number

  constructor(ask: typeof askWindow = askWindow, now: () => number = Date.now) {
    this.#ask = ask
    this.#now = now
  }

  get list(): readonly Preset[] {
    return settings.now.presets
  }

  /** Under a name that is there already it takes that one's place. */
  save(name: string, recipe: Recipe): void {
    const saved = name.trim()
    if (saved === '') return
    const before = this.list
    const shared = JSON.parse(recipeJson(recipe)) as Preset['recipe']
    this.#set([{ name: saved, recipe: shared, saved_at: this.#now() }, ...before.filter((one) => one.name !== saved)])
    const replaced = before.some((one) => one.name === saved)
    if (replaced) notices.say(`“${saved}” is another recipe now.`, { undo: () => this.#set(before) })
    else notices.say(`The recipe is saved as “${saved}”.`)
  }

  /** False: another one has the name. */
  rename(from: string, name: string): boolean {
    const to = name.trim()
    if (to === from) return true
    if (to === '' || this.list.some((one) => one.name === to)) return false
    this.#set(this.list.map((one) => (one.name === from ? { ...one, name: to } : one)))
    return true
  }

  remove(name: string): void {
    const place = this.list.findIndex((one) => one.name === name)
    const [gone] = this.list.slice(place, place + 1)
    if (!gone) return
    this.#set(this.list.toSpliced(place, 1))
    // Others may have been saved meanwhile; theirs stay.
    const undo = () => this.#set(this.list.filter((one) => one.name !== name).toSpliced(place, 0, gone))
    notices.say(`“${name}” is deleted.`, { undo })
  }

  /** Checked by the catalogue of this Signum. */
  recipe({ name, recipe }: Preset): Recipe | null {
    return this.#heard(parseRecipe(recipe, name))
  }

  paste(text: string): Recipe | null {
    return this.#heard(readRecipeText(text))
  }

  async open(): Promise<Recipe | null> {
    const { value: file, problem } = await this.#ask('chooseRecipe', { title: 'Open a recipe' })
    this.problem = problem
    return file === null ? null : this.read(file)
  }

  async read(file: string): Promise<Recipe | null> {
    const { value, problem } = await this.#ask('readRecipe', { file })
    this.problem = problem
    return value
  }

  async copy(recipe: Recipe): Promise<void> {
    const { problem } = await this.#ask('copyText', { text: recipeJson(recipe) })
    this.problem = problem
    if (!problem) notices.say('The recipe is copied as JSON.')
  }

  async saveFile(name: string, recipe: Recipe): Promise<void> {
    const suggested = `${outOf(name).replace('runs/', '')}.json`
    const chosen = await this.#ask('chooseOutput', { title: 'Save the recipe', suggested, folder: false })
    this.problem = chosen.problem
    if (chosen.value === null) return
    const { problem } = await this.#ask('saveRecipe', { file: chosen.value, recipe })
    this.problem = problem
    if (!problem) notices.say(`The recipe is in ${chosen.value}.`)
  }

  #heard(read: Result<Recipe>): Recipe | null {
    this.problem = read.ok ? null : read.problem
    return read.ok ? read.value : null
  }

  #set(presets: readonly Preset[]): void {
    void settings.change({ presets: [...presets] })
  }
}

export const presets = new Presets()
