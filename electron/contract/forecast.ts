// What a run will cost, said before it starts, and what would keep it from starting.
import { z } from 'zod'
import { problemSchema } from './errors.ts'
import { fileBytesSchema } from './records.ts'

/** The three bit numbers, and the bytes that they stand for. */
export const sizesSchema = z.object({
  nominal: z.number(),
  linear: z.number(),
  file: z.number(),
  linear_bytes: z.number(),
  file_bytes: z.number(),
})
export type Sizes = z.infer<typeof sizesSchema>

/** What a time was estimated from. */
export const basisSchema = z.object({
  /** Finished runs of the method on this computer; 0: only usual rates. */
  runs: z.int().min(0),
  /** They were runs of the same model. */
  same_model: z.boolean(),
  /** What is forecast for is a card on which nothing was run yet: nobody knows. */
  unknown: z.boolean().default(false),
})
export type Basis = z.infer<typeof basisSchema>

export const forecastSchema = z.object({
  expected: sizesSchema,
  /** The same as `expected` where the method's bytes do not depend on the weights. */
  most: sizesSchema,
  /** Of the expected files. */
  parts: fileBytesSchema,
  original_bytes: z.number(),
  memory: z.object({ needed: z.number(), available: z.number() }),
  disk: z.object({ needed: z.number(), free: z.number() }),
  /** By phase, as the report of a run has them. */
  seconds: z.record(z.string(), z.number()),
  basis: basisSchema,
})
export type Forecast = z.infer<typeof forecastSchema>

/** Never a time without it. */
export function basisWords({ runs, same_model: same, unknown }: Basis): string {
  if (unknown) return 'not known before a run has finished on this card'
  if (runs === 0) return 'rough estimate'
  const of = same ? ' of this model' : ''
  return `estimated from ${runs} ${runs === 1 ? 'run' : 'runs'}${of} on this computer`
}

/** One thing that was looked at before a run starts. */
export const readinessSchema = z.object({
  name: z.string(),
  ok: z.boolean(),
  /** What was found. */
  state: z.string(),
  problem: problemSchema.nullable(),
})
export type Readiness = z.infer<typeof readinessSchema>
