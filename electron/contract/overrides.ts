// What a recipe says about single linears: each one takes the first override whose pattern its name matches, and the
// recipe's own method where none does.
import { z } from 'zod'
import { failure, success, type Result } from './errors.ts'
import { chosenTables, type TableTypes } from './tables.ts'
import { findMethod, methodIds, resolveParameters, type MethodId, type Parameters } from './methods.ts'

export const overrideSchema = z.strictObject({
  /** A regular expression (JavaScript's), found anywhere in a linear's full name. */
  match: z.string().min(1).max(20_000),
  /** The linears stay as they are stored; then there is neither method nor parameters. */
  keep: z.literal(true).optional(),
  /** Without: the recipe's own method, with its parameters as far as they are not given here. */
  method: z.enum(methodIds).optional(),
  parameters: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])).optional(),
})
export type Override = z.infer<typeof overrideSchema>

/** A method with its parameters. */
export type LinearRecipe = { method: MethodId; parameters: Parameters }

/** What is done to the weights: the recipe's own method, its overrides, and the tables (as stored where nothing is said). */
export type Treatment = LinearRecipe & { overrides: readonly Override[] } & Partial<TableTypes>

function patternOf(match: string): Result<RegExp> {
  try {
    return success(new RegExp(match))
  } catch (error) {
    const why = String(error).replace(/^SyntaxError: /, '')
    return failure('recipe_invalid', `The pattern '${match}' of an override is no regular expression: ${why}.`)
  }
}

/** What an override comes to: null where it keeps its linears. */
export function resolveOverride(usual: LinearRecipe, override: Override): Result<LinearRecipe | null> {
  const { match, keep, method: id, parameters: given } = override
  if (keep) {
    if (id === undefined && given === undefined) return success(null)
    return failure('recipe_invalid', `The override '${match}' keeps its linears, so it has no method or parameters.`)
  }
  if (id === undefined && given === undefined) {
    return failure('recipe_invalid', `The override '${match}' must have a method, parameters, or keep.`)
  }
  const method = findMethod(id ?? usual.method)
  if (!method.ok) return method
  const resolved = resolveParameters(method.value, id === undefined ? { ...usual.parameters, ...given } : (given ?? {}))
  return resolved.ok ? success({ method: method.value.id, parameters: resolved.value }) : resolved
}

/** The first fault of a recipe's overrides, or null. */
export function checkOverrides({ overrides, ...usual }: Treatment): Result<null> {
  for (const override of overrides) {
    const [pattern, resolved] = [patternOf(override.match), resolveOverride(usual, override)]
    if (!pattern.ok) return pattern
    if (!resolved.ok) return resolved
  }
  return success(null)
}

export type OverrideMatches = {
  /** Linears whose names the pattern matches. */
  matches: number
  /** Those of them that no earlier override has taken. */
  takes: number
}

/** By override; null where the pattern is none. */
export function matchesOf(overrides: readonly Override[], names: readonly string[]): (OverrideMatches | null)[] {
  const taken = new Set<string>()
  return overrides.map(({ match }) => {
    const pattern = patternOf(match)
    if (!pattern.ok) return null
    const matched = names.filter((name) => pattern.value.test(name))
    const takes = matched.filter((name) => !taken.has(name))
    for (const name of takes) taken.add(name)
    return { matches: matched.length, takes: takes.length }
  })
}

/** An override that matches nothing is a slip of the pen, and is said before a run does without it. */
export function checkMatches(overrides: readonly Override[], names: readonly string[]): Result<null> {
  const nothing = matchesOf(overrides, names).findIndex((found) => found?.matches === 0)
  if (nothing < 0) return success(null)
  return failure(
    'recipe_invalid',
    `The override '${overrides[nothing]!.match}' matches no linear of the model; they are called ${names[0]} and the like.`,
  )
}

/** What is done to each linear, by name; null: it is kept. The overrides are taken to be in order (checkOverrides). */
export function linearRecipes(
  { overrides, ...usual }: Treatment,
  names: readonly string[],
): Map<string, LinearRecipe | null> {
  const own = { method: usual.method, parameters: usual.parameters }
  const rules = overrides.flatMap((override) => {
    const [pattern, resolved] = [patternOf(override.match), resolveOverride(own, override)]
    return pattern.ok && resolved.ok ? [{ pattern: pattern.value, recipe: resolved.value }] : []
  })
  return new Map(
    names.map((name) => {
      const rule = rules.find(({ pattern }) => pattern.test(name))
      return [name, rule === undefined ? own : rule.recipe]
    }),
  )
}

/** Everything spelled out, so that it means the same when a usual value becomes another. */
export function resolvedOverrides({ overrides, ...usual }: Treatment): Override[] {
  return overrides.map((override) => {
    const resolved = resolveOverride(usual, override)
    return resolved.ok && resolved.value !== null ? { match: override.match, ...resolved.value } : override
  })
}

/** Whether one of the methods makes good what was lost before it, so that the original's inputs are needed too. */
export const corrects = (treatment: Treatment): boolean =>
  [treatment, ...resolvedOverrides(treatment)].some(({ parameters }) => Number(parameters?.['correction'] ?? 0) > 0)

/** A pattern for exactly this name. */
export const patternFor = (name: string): string => `^${name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`

/** As the worker is told: by name, one entry for each recipe that is not the usual one. */
export type NamedOverride = { linears: string[]; keep: true } | ({ linears: string[] } & LinearRecipe)

export function namedOverrides(treatment: Treatment, names: readonly string[]): NamedOverride[] {
  const usual = keyOf(treatment)
  const groups = new Map<string, NamedOverride>()
  // Linears of one rule have one recipe, the same object.
  const keys = new Map<LinearRecipe | null, string>()
  for (const [name, recipe] of linearRecipes(treatment, names)) {
    const key = keys.get(recipe) ?? keyOf(recipe)
    keys.set(recipe, key)
    if (key === usual) continue
    const group = groups.get(key) ?? (recipe === null ? { linears: [], keep: true } : { linears: [], ...recipe })
    group.linears.push(name)
    groups.set(key, group)
  }
  return [...groups.values()]
}

/** A recipe as the worker is told and the files say: nothing that is as usual. */
export function namedTreatment(treatment: Treatment, names: readonly string[]) {
  const { method, parameters } = treatment
  const overrides = namedOverrides(treatment, names)
  const tables: Partial<TableTypes> = Object.fromEntries(chosenTables(treatment))
  return { method, parameters, ...(overrides.length > 0 ? { overrides } : {}), ...tables }
}

const keyOf = (recipe: LinearRecipe | null): string =>
  recipe === null ? 'keep' : JSON.stringify([recipe.method, Object.entries(recipe.parameters).toSorted()])
