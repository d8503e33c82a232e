// The things Signum keeps and shows: models, what happened to a linear, measurements, the report of a run.
import { z } from 'zod'
import { comparisonSchema, protocolSchema } from './evaluation.ts'
import { recipeSchema } from './recipe.ts'

export const linearSchema = z.object({
  name: z.string(),
  layer: z.int(),
  kind: z.string(),
  rows: z.int(),
  columns: z.int(),
  /** Null where it is packed, or not known. */
  dtype: z.string().nullable().optional(),
})
export type Linear = z.infer<typeof linearSchema>

/** A model folder, original or packed, as the worker's `inspect` describes it. */
export const modelSchema = z.object({
  path: z.string(),
  architecture: z.string(),
  packed: z.boolean(),
  parameters: z.number(),
  layers: z.int(),
  hidden: z.int(),
  intermediate: z.int(),
  heads: z.int(),
  kv_heads: z.int(),
  vocabulary: z.int(),
  context: z.int(),
  tied: z.boolean(),
  dtype: z.string(),
  bytes: z.number(),
  files: z.array(z.object({ name: z.string(), bytes: z.number() })),
  linears: z.array(linearSchema),
  /** Stored tensors that are no linear's; `layer` is the number of layers for what belongs to none. */
  tensors: z
    .array(z.object({ name: z.string(), layer: z.int(), dtype: z.string(), shape: z.array(z.int()) }))
    .optional(),
  /** Names of the tensors that are the two tables; of a tied model the same one, or a second copy. */
  tables: z.object({ embedding: z.string(), head: z.string() }).optional(),
  /** Files that a packed folder takes over. */
  copied: z.array(z.string()).optional(),
  /** As it stands in what is written: `signum 0.1.0`. */
  program: z.string().optional(),
})
export type Model = z.infer<typeof modelSchema>

/** One linear. Numbers that a worker could not make finite are null. */
export const layerReportSchema = z.object({
  name: z.string(),
  /** `keep` where it stays as it is stored; null in reports from before linears had methods of their own: the run's. */
  method: z.string().nullable().default(null),
  layer: z.int(),
  kind: z.string(),
  rows: z.int(),
  columns: z.int(),
  nominal_bits: z.number(),
  linear_bits: z.number(),
  bytes: z.number(),
  relative_weight_error: z.number().nullable(),
  relative_output_error: z.number().nullable(),
  salient_columns: z.number().nullable(),
  /** fdb: share of zeros in its first and its second plane; null in reports from before they were counted. */
  plane1_sparsity: z.number().nullable().default(null),
  plane2_sparsity: z.number().nullable().default(null),
  /** Null where nobody knows: of a run that was made elsewhere. */
  seconds: z.number().nullable(),
})
export type LayerReport = z.infer<typeof layerReportSchema>

export const metricSchema = z.object({
  name: z.string(),
  protocol: z.string(),
  value: z.number().nullable(),
  /** As the protocol says; null where there is only one value. */
  standard_error: z.number().nullable(),
  tokens: z.number(),
  windows: z.number(),
  window: z.number(),
})
export type Metric = z.infer<typeof metricSchema>

const evaluatedModelSchema = z.object({
  perplexity: z.number().nullable(),
  standard_error: z.number().nullable(),
  /** Of this model alone: its weights, layers and head. */
  seconds: z.number(),
  window_losses: z.array(z.number().nullable()),
})
export const evaluationResultSchema = z.object({
  protocol: protocolSchema,
  /** Predicted ones. */
  tokens: z.number(),
  windows: z.number(),
  window: z.number(),
  model: evaluatedModelSchema,
  reference: evaluatedModelSchema.nullable(),
  comparison: comparisonSchema.nullable(),
})
export type EvaluationResult = z.infer<typeof evaluationResultSchema>

export const quantizeResultSchema = z.object({
  packed: z.string(),
  nominal_bits: z.number(),
  linear_bits: z.number(),
  file_bits: z.number(),
  file_bytes: z.number(),
  linear_bytes: z.number(),
  weights: z.number(),
  parameters: z.number(),
  seconds: z.record(z.string(), z.number()),
  peak_resident_bytes: z.number(),
})
export type QuantizeResult = z.infer<typeof quantizeResultSchema>

/** Which tokens: the source as the recipe names it, and the SHA-256 of the ids as little-endian U32. */
export const tokensSchema = z.object({ source: z.string(), sha256: z.string(), tokens: z.int() })
export type Tokens = z.infer<typeof tokensSchema>

/** One measurement; `tokens` are the predicted ones, `seconds` those of the model alone. */
export const measurementSchema = metricSchema.omit({ name: true }).extend({ seconds: z.number() })
export type Measurement = z.infer<typeof measurementSchema>

export const noteSchema = z.object({ code: z.string(), message: z.string() })
export type Note = z.infer<typeof noteSchema>

/** report.json of a run folder. */
export const runReportSchema = z.object({
  signum_report: z.literal(1),
  program: z.string(),
  run: z.string(),
  packed: z.string(),
  model: modelSchema.omit({ linears: true, tensors: true }),
  recipe: recipeSchema,
  calibration: tokensSchema
    .extend({ sampling: z.string(), sequences: z.int(), length: z.int(), seed: z.int() })
    .nullable(),
  bits: z.object({ nominal: z.number(), linear: z.number(), file: z.number() }),
  sizes: z.object({
    /** Null where the original is not known. */
    original_bytes: z.number().nullable(),
    file_bytes: z.number(),
    linear_bytes: z.number(),
    weights: z.number(),
    parameters: z.number(),
  }),
  perplexity: z.array(
    z.object({
      text: tokensSchema,
      original: measurementSchema,
      packed: measurementSchema,
      /** Reports of earlier versions have none. */
      comparison: comparisonSchema.nullable().default(null),
    }),
  ),
  layers: z.array(layerReportSchema),
  /** Of the process that finished the run. */
  seconds: z.record(z.string(), z.number()),
  resumed: z.boolean(),
  peak_resident_bytes: z.number().nullable(),
  /** Null: the processor, of reports from before there were cards too. */
  device: z
    .object({
      id: z.string(),
      name: z.string(),
      precision: z.string(),
      /** Most memory of the card that was in use; null where no heartbeat said. */
      peak_bytes: z.number().nullable(),
    })
    .nullable()
    .default(null),
  warnings: z.array(noteSchema),
  /** A packed folder that was made elsewhere: where it was found. */
  imported: z.object({ from: z.string() }).nullable().default(null),
})
export type RunReport = z.infer<typeof runReportSchema>

/** Weights counted in bins of equal width from `low` to `high`; what lies outside counts in the first or last bin. */
export const histogramSchema = z.object({ low: z.number(), high: z.number(), counts: z.array(z.int()) })
export type Histogram = z.infer<typeof histogramSchema>

/** Where the bytes of a packed folder's files go. */
export const fileBytesSchema = z.object({
  codes: z.number(),
  signs: z.number(),
  second: z.number(),
  bitmaps: z.number(),
  scales: z.number(),
  order: z.number(),
  embeddings: z.number(),
  rest: z.number(),
  headers: z.number(),
})
export type FileBytes = z.infer<typeof fileBytesSchema>

/** Where the bytes of each linear go; its part of an order that several have in common is an even one. */
export const linearBytesSchema = z.object({
  linears: z.array(
    fileBytesSchema.pick({ codes: true, signs: true, second: true, bitmaps: true, scales: true, order: true }).extend({
      name: z.string(),
      /** Null where the name says none. */
      layer: z.int().nullable(),
      kind: z.string(),
      /** Of one that is stored as it was. */
      kept: z.number(),
    }),
  ),
  /** Norms and biases, by decoder layer. */
  layers: z.array(z.object({ layer: z.int(), rest: z.number() })),
  embeddings: z.number(),
  /** Of no decoder layer. */
  rest: z.number(),
  headers: z.number(),
})
export type LinearBytes = z.infer<typeof linearBytesSchema>
