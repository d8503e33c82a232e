// The layer lab: one linear of a model, quantized by up to six recipes at once, again whenever one of them changes.
import { z } from 'zod'
import { methodIds } from './methods.ts'
import { pictureScaleSchema, picturedLinearSchema } from './pictures.ts'
import { calibrationSchema, recipeSchema } from './recipe.ts'
import { histogramSchema, layerReportSchema, noteSchema } from './records.ts'

export { histogramSchema, type Histogram } from './records.ts'

/** Recipes side by side. */
export const mostTrials = 6

/** What lies on the table: a linear and the text that its inputs come from; null: without a text, there is no output error. */
export const labPlaceSchema = z.object({
  model: z.string().min(1),
  linear: z.string().min(1),
  calibration: calibrationSchema.nullable(),
})
export type LabPlace = z.infer<typeof labPlaceSchema>

/** The linear is at hand: its weights, and its Hessian where there is a text. */
export const labLinearSchema = z.object({
  rows: z.int(),
  columns: z.int(),
  weights: histogramSchema,
  /** Predicted positions that the Hessian was summed over; 0 without a text. */
  tokens: z.int(),
  /** It took so long; 0 where it was at hand. */
  seconds: z.number(),
})
export type LabLinear = z.infer<typeof labLinearSchema>

export const trialRequestSchema = labPlaceSchema.extend({
  /** A newer trial of the same slot ends an older one, which is then cancelled. */
  slot: z
    .int()
    .min(0)
    .max(mostTrials - 1),
  method: z.enum(methodIds),
  parameters: recipeSchema.shape.parameters,
})
export type TrialRequest = z.input<typeof trialRequestSchema>

export const trialSchema = z.object({
  /** Its pictures are those of `trial-NUMBER` (contract/pictures.ts), until its slot has another one. */
  trial: z.int().min(1),
  report: layerReportSchema,
  linear: picturedLinearSchema,
  scale: pictureScaleSchema,
  /** In the same bins as those of the original weights. */
  quantized: histogramSchema,
  /** Of the row in the middle: every value that its weights take, ascending; at most 64. */
  levels: z.array(z.number()),
  warnings: z.array(noteSchema),
})
export type Trial = z.infer<typeof trialSchema>
