// An override as one word of a command line: REGEX=method:key=value,key=value.
import { failure, success, type Result } from './errors.ts'
import { findMethod, methodIds, readSetting, unusual, type Method, type Parameters } from './methods.ts'
import type { LinearRecipe, Override } from './overrides.ts'

export const overrideForm = 'REGEX=METHOD:key=value,...'

// What follows the pattern begins with the name of a method, or with a colon where the method stays.
const form = new RegExp(`^(.+?)=(?:(${methodIds.join('|')})(?::(.*))?|:(.+))$`, 's')

/** One `--override`. `usual`: the recipe's own method, whose parameters an override without a method changes. */
export function readOverride(text: string, usual: Method): Result<Override> {
  const [, match, id, settings, own] = form.exec(text) ?? []
  if (match === undefined) {
    const named = /=([\w-]+)(?::[^:]*)?$/.exec(text)?.[1]
    const unknown = named === undefined ? null : findMethod(named)
    if (unknown?.ok === false) return unknown
    return failure('option_invalid', `--override must be followed by ${overrideForm}, not '${text}'.`)
  }
  const method = id === undefined ? success(usual) : findMethod(id)
  if (!method.ok) return method
  const parameters = readSettings(method.value, filled((settings ?? own ?? '').split(',')))
  if (!parameters.ok) return parameters
  return success({
    match,
    ...(id === undefined ? {} : { method: method.value.id }),
    parameters: parameters.value,
  })
}

/** Nothing between two commas is no setting. */
export const filled = (settings: readonly string[]): string[] => settings.filter((one) => one !== '')

/** `settings`: key=value each. */
export function readSettings(method: Method, settings: readonly string[]): Result<Parameters> {
  const parameters: Parameters = {}
  for (const setting of settings) {
    const read = readSetting(method, setting)
    if (!read.ok) return read
    parameters[read.value.key] = read.value.value
  }
  return success(parameters)
}

const settingsText = (parameters: Parameters, join: string) =>
  Object.entries(parameters)
    .map(([key, value]) => `${key}=${value}`)
    .join(join)

/** What --override would be followed by; null for one that keeps its linears. */
export function overrideText({ match, keep, method: id, parameters = {} }: Override): string | null {
  if (keep) return null
  const method = id === undefined ? null : findMethod(id)
  const settings = settingsText(method?.ok ? unusual(method.value, parameters) : parameters, ',')
  return `${match}=${id ?? ''}${settings === '' ? '' : `:${settings}`}`
}

/** What is done to a linear, to be read: `gptq bits=4`; without what is as usual. */
export function recipeText(recipe: LinearRecipe | null): string {
  if (recipe === null) return 'kept'
  const method = findMethod(recipe.method)
  const settings = settingsText(method.ok ? unusual(method.value, recipe.parameters) : recipe.parameters, ' ')
  return settings === '' ? recipe.method : `${recipe.method} ${settings}`
}

/** What an override does, to be read after its pattern. */
export function effectText({ keep, method: id, parameters = {} }: Override): string {
  if (keep) return 'kept as stored'
  return id === undefined ? settingsText(parameters, ' ') : recipeText({ method: id, parameters })
}
