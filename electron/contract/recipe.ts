// A recipe: what is done to a model's weights, from which text, and on which texts the result is measured. It is what
// --recipe reads, --save-recipe writes and every run folder holds as recipe.json.
import { z } from 'zod'
import { protocolSchema } from './evaluation.ts'
import { didYouMean } from './nearest.ts'
import { failure, success, type Result } from './errors.ts'
import { findMethod, methodIds, methods, resolveParameters, type MethodId } from './methods.ts'
import { checkOverrides, overrideSchema, resolveOverride, type LinearRecipe, type Treatment } from './overrides.ts'
import { tableTypes } from './tables.ts'

/**
 * A text file, a file of JSON lines (.jsonl, .json) with a document's text under "text" in each, these with .gz, a token file
 * (.u32), or `bundled:NAME` for a text that comes with Signum.
 */
const source = z.string().min(1)
export const bundledPrefix = 'bundled:'

/**
 * `sequential`: one after another from the start. `random`: windows of the whole text. `documents`: documents of a file of
 * JSON lines, and of each that is long enough a window. The last two as the published programs draw them.
 */
export const samplings = ['sequential', 'random', 'documents'] as const

/**
 * What stands between the lines of a text, or the documents of a file, before they are tokenized as one. `raw`: a text is as it
 * lies there, documents are tokenized one by one.
 */
export const joins = ['raw', 'space', 'blank-line'] as const
export type Join = (typeof joins)[number]
const join = z.enum(joins).default('raw')
/** What they do, in a few words. */
export const joinWords: Record<Join, string> = {
  raw: 'lines as they are',
  space: 'lines joined by a space',
  'blank-line': 'lines joined by a blank line',
}

export const calibrationSchema = z.strictObject({
  source,
  sampling: z.enum(samplings).default('sequential'),
  sequences: z.int().min(1).default(128),
  /** Tokens per sequence; null: the model's context, at most 2048. */
  length: z.int().min(2).nullable().default(null),
  seed: z.int().min(0).max(0xffff_ffff).default(0),
  join,
})
export type Calibration = z.infer<typeof calibrationSchema>

export const evaluationSchema = z.strictObject({
  source,
  /** Tokens per window; null: the model's context, at most 2048 (papers) or 512 (llama.cpp). */
  window: z.int().min(2).nullable().default(null),
  protocol: protocolSchema.default('papers'),
  join,
})
export type Evaluation = z.infer<typeof evaluationSchema>

export const recipeSchema = z.strictObject({
  signum_recipe: z.literal(1),
  /** Absolute path; only in a run's own recipe. */
  model: z.string().optional(),
  method: z.enum(methodIds),
  parameters: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])).default({}),
  /** For single linears; the first whose pattern matches decides. */
  overrides: z.array(overrideSchema).default([]),
  embedding_type: z.enum(tableTypes).default('source'),
  /** Of a tied model: as the embedding's. */
  head_type: z.enum(tableTypes).default('source'),
  calibration: calibrationSchema.nullable().default(null),
  evaluations: z.array(evaluationSchema).default([]),
})
export type Recipe = z.infer<typeof recipeSchema>

/** A recipe from outside: every key known, every value in range, every parameter of the method there afterwards. */
export function parseRecipe(json: unknown, from: string): Result<Recipe> {
  // The catalogue explains a wrong method or parameter better than the schema does.
  const method = methodOf(json)
  if (method !== undefined) {
    const found = findMethod(method)
    if (!found.ok) return found
  }
  const parsed = recipeSchema.safeParse(json)
  if (!parsed.success) return failure('recipe_invalid', `${from}: ${sentence(parsed.error.issues[0]!)}`)
  const found = findMethod(parsed.data.method)
  if (!found.ok) return found
  const parameters = resolveParameters(found.value, parsed.data.parameters)
  if (!parameters.ok) return parameters
  const recipe = { ...parsed.data, parameters: parameters.value }
  const overrides = checkOverrides(recipe)
  return overrides.ok ? success(recipe) : overrides
}

/** A recipe as a file or a message has it: which model it was made for is not part of it. */
export const recipeJson = (recipe: Recipe): string => `${JSON.stringify({ ...recipe, model: undefined }, null, 1)}\n`

/** The first method of the recipe that, with its parameters, cannot do without a calibration text, or null. */
export function needingCalibration({ overrides, ...usual }: Treatment): MethodId | null {
  const resolved = overrides.map((one) => resolveOverride(usual, one))
  const used = [usual, ...resolved.flatMap((one) => (one.ok && one.value ? [one.value] : []))]
  const needs = ({ method, parameters }: LinearRecipe) =>
    methods.some((one) => one.id === method && one.needsCalibration(parameters))
  return used.find(needs)?.method ?? null
}

const methodOf = (json: unknown): string | undefined => {
  const method = typeof json === 'object' && json !== null && 'method' in json ? json.method : undefined
  return typeof method === 'string' ? method : undefined
}

type Issue = z.core.$ZodIssue

function sentence(issue: Issue): string {
  const where = issue.path.join('.')
  if (issue.code !== 'unrecognized_keys') return `${where || 'the recipe'}: ${issue.message}.`
  const key = issue.keys[0]!
  const parts = { calibration: calibrationSchema, evaluations: evaluationSchema, overrides: overrideSchema }
  const part = parts[String(issue.path[0]) as keyof typeof parts] ?? recipeSchema
  const keys = Object.keys(part.shape)
  return `${where ? `${where} has` : 'a recipe has'} no key '${key}'${didYouMean(key, keys) || '.'} Keys: ${keys.join(', ')}.`
}
