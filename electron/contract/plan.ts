// How bits are divided among a model's linears: what was measured of each candidate recipe on each linear, and the choice
// that a budget makes.
import { z } from 'zod'
import { budgetSchema } from './curve.ts'
import { findMethod, methodIds, resolveParameters, type Parameters } from './methods.ts'
import { failure, success, type Result } from './errors.ts'
import { overrideSchema, type LinearRecipe } from './overrides.ts'
import { calibrationSchema, evaluationSchema, recipeSchema } from './recipe.ts'

/** What --method says where every linear gets a recipe of its own. */
export const mixed = 'mixed'

export const candidateSchema = z.strictObject({
  method: z.enum(methodIds),
  parameters: recipeSchema.shape.parameters,
})

export const measuredSchema = z.object({
  candidates: z.array(z.object({ method: z.enum(methodIds), parameters: recipeSchema.shape.parameters.unwrap() })),
  linears: z.array(
    z.object({
      name: z.string(),
      /** KL divergence of the model's predictions per squared relative output error of this linear alone, in nats. */
      sensitivity: z.number(),
      /** Relative output error, by candidate. */
      errors: z.array(z.number()),
    }),
  ),
  /** Of the calibration, and of those at which predictions were compared. */
  tokens: z.int(),
  probe_tokens: z.int(),
  seconds: z.number(),
  measured_at: z.int(),
})
export type Measured = z.infer<typeof measuredSchema>

export const planRequestSchema = z.object({
  model: z.string().min(1),
  calibration: calibrationSchema,
  evaluations: z.array(evaluationSchema).default([]),
  /** Linears that a person has decided about; they have their part of the budget. */
  overrides: z.array(overrideSchema).default([]),
  embedding_type: recipeSchema.shape.embedding_type,
  head_type: recipeSchema.shape.head_type,
  budget: budgetSchema,
  /** Null: the usual ones. */
  candidates: z.array(candidateSchema).min(1).max(64).nullable().default(null),
  /** Measure even where that was done before. */
  again: z.boolean().default(false),
  /** False: answer only from what was measured before, else `not_measured`. */
  measure: z.boolean().default(true),
  threads: z.int().min(0).max(4096).default(0),
})

export const choiceSchema = z.object({
  name: z.string(),
  /** Its place; null: a person's override decides. */
  candidate: z.int().nullable(),
  /** At most, without the order that linears of one input have in common. */
  bytes: z.int(),
  /** Relative error of its outputs; null where a person's override decides. */
  error: z.number().nullable(),
  /** What it adds to the divergence of the predictions, in nats. */
  loss: z.number().nullable(),
})
export type Choice = z.infer<typeof choiceSchema>

const sizesSchema = z.object({ linear: z.number(), linear_bytes: z.int(), file_bytes: z.int() })

export const planSchema = z.object({
  choices: z.array(choiceSchema),
  /** Nats per byte: where a linear's next bytes would save less than this, it did not get them. */
  lambda: z.number(),
  /** The divergence of the predictions that the choices add up to, in nats. */
  loss: z.number(),
  /** At most. */
  sizes: sizesSchema,
  /** Bytes that the budget leaves. */
  unused: z.number(),
  /** The best of the candidates that fits for all linears alike; null where none does. */
  uniform: z.object({ candidate: z.int(), loss: z.number(), sizes: sizesSchema }).nullable(),
})
export type Plan = z.infer<typeof planSchema>

export const planAnswerSchema = z.object({
  recipe: recipeSchema,
  plan: planSchema,
  measured: measuredSchema,
  /** The file that keeps what was measured; null where there is none. */
  file: z.string().nullable(),
  /** What other budgets would come to, by linear bits, rising. */
  curve: z.array(z.object({ linear: z.number(), loss: z.number() })),
})
export type PlanAnswer = z.infer<typeof planAnswerSchema>

/** What more bytes would gain of a linear, from where a run has left it. */
export const gainSchema = z.object({
  name: z.string(),
  /** As in what was measured. */
  sensitivity: z.number(),
  /** Relative output error now: as measured where the linear has one of the candidates, else the run's own. */
  error: z.number(),
  /** Now, without an order that linears of one input have in common. */
  bytes: z.number(),
  /** What it adds to the divergence of the predictions now, in nats. */
  loss: z.number(),
  /** The larger candidate that saves most per byte, what it costs and saves, and its error; null: none saves anything. */
  next: z.object({ candidate: z.int(), bytes: z.number(), saved: z.number(), error: z.number() }).nullable(),
})
export type Gain = z.infer<typeof gainSchema>

export const gainsAnswerSchema = z.object({
  /** What measuring was done with, or would be. */
  calibration: calibrationSchema,
  /** Null where the model was not measured with it yet. */
  known: z
    .object({ candidates: measuredSchema.shape.candidates, linears: z.array(gainSchema), measured_at: z.int() })
    .nullable(),
  /** What measuring takes, about; what it took, where it was done. */
  seconds: z.number(),
})
export type GainsAnswer = z.infer<typeof gainsAnswerSchema>

const signum = (second_plane: number, third_plane = 0) => ({
  method: 'signum-rc' as const,
  parameters: { second_plane, third_plane, blocksize: 256 },
})
const gptq = (bits: number) => ({
  method: 'gptq' as const,
  parameters: { bits, group: 128, clip_search: true, order: 'hessian', correction: 1 },
})
/** From one sign to three, then codes: 1.1 to 4.2 linear bits in steps that the errors follow closely. */
const usual: readonly { method: LinearRecipe['method']; parameters: Parameters }[] = [
  ...[0, 0.25, 0.5, 0.75, 1].map((p) => signum(p)),
  ...[0.5, 1].map((q) => signum(1, q)),
  ...[3, 4].map(gptq),
]

/** Every parameter spelled out; the usual ones for null. */
export function resolveCandidates(given: z.infer<typeof candidateSchema>[] | null): Result<LinearRecipe[]> {
  const candidates: LinearRecipe[] = []
  for (const { method: id, parameters } of given ?? usual) {
    const method = findMethod(id)
    if (!method.ok) return method
    const resolved = resolveParameters(method.value, parameters)
    if (!resolved.ok) return resolved
    candidates.push({ method: id, parameters: resolved.value })
  }
  const texts = candidates.map((one) => JSON.stringify(one))
  const twice = texts.findIndex((text, i) => texts.indexOf(text) < i)
  if (twice >= 0) return failure('recipe_invalid', `The candidate ${candidates[twice]!.method} is there twice.`)
  return success(candidates)
}
