// What the history keeps, row by row (docs/HISTORY.md), and what the queue says. Times are milliseconds since 1970.
import { z } from 'zod'
import type { Ending, Step } from './api.ts'
import { exportedFileSchema, verificationSchema } from './exports.ts'
import type { Note, RunReport } from './records.ts'
import { layerReportSchema, metricSchema, modelSchema } from './records.ts'
import { recipeSchema } from './recipe.ts'
import type { WorkerEvent } from './worker.ts'

export const runStatuses = ['queued', 'running', 'stopped', 'interrupted', 'failed', 'finished', 'cancelled'] as const
export type RunStatus = (typeof runStatuses)[number]

/** Nobody works on such a run, and somebody may go on with it. */
export const resumableStatuses: readonly RunStatus[] = ['stopped', 'interrupted', 'failed', 'cancelled']

/** A newer Signum may know more methods than this one; it is checked again before anybody runs it. */
const storedRecipeSchema = recipeSchema.extend({ method: z.string() })

const id = z.int().min(1)
const time = z.int()

/** One word, so that a filter can name it. */
export const tagSchema = z
  .string()
  .trim()
  .min(1)
  .max(40)
  .regex(/^[^\s,"]+$/, 'A tag is one word')

/** Milliseconds in which a deletion can be undone; the files are there until then. */
export const undoTime = 120_000

export const modelRowSchema = modelSchema
  .pick({ path: true, architecture: true, packed: true, parameters: true, layers: true, dtype: true, bytes: true })
  .extend({ id, name: z.string(), added_at: time, seen_at: time })
export type ModelRow = z.infer<typeof modelRowSchema>

export const runRowSchema = z.object({
  id,
  name: z.string(),
  /** Null before the model was looked at, and when it was taken off the list. */
  model_id: id.nullable(),
  method: z.string(),
  recipe: storedRecipeSchema,
  /** Null when another run was begun where its files used to be. */
  folder: z.string().nullable(),
  /** What it was asked for (`auto`, `cpu`, `cuda:0`) until it begins, then what it computed on. */
  device: z.string(),
  /** Null of the processor, and before it began on a card. */
  device_name: z.string().nullable(),
  /** Of a card's products; null of the processor. */
  precision: z.string().nullable(),
  /** Most memory of the card that was in use. */
  device_peak_bytes: z.number().nullable(),
  status: z.enum(runStatuses),
  created_at: time,
  /** Of the last process that worked on it. */
  started_at: time.nullable(),
  /** When it came to its last end, whichever that was. */
  finished_at: time.nullable(),
  layers: z.int().nullable(),
  finished_layers: z.int(),
  nominal_bits: z.number().nullable(),
  linear_bits: z.number().nullable(),
  file_bits: z.number().nullable(),
  file_bytes: z.number().nullable(),
  linear_bytes: z.number().nullable(),
  peak_resident_bytes: z.number().nullable(),
  /** By phase, of the process that finished the run. */
  seconds: z.record(z.string(), z.number()).nullable(),
  program: z.string().nullable(),
  error_code: z.string().nullable(),
  error_message: z.string().nullable(),
  error_detail: z.string().nullable(),
  /** Mean relative error of its linears' outputs, by their weights; null where none was measured. */
  output_error: z.number().nullable(),
  /** What a person wrote about it. */
  note: z.string(),
  /** In the order of the alphabet. */
  tags: z.array(z.string()),
  /** Put away: lists leave it out unless they are asked for it. */
  archived_at: time.nullable(),
})
export type RunRow = z.infer<typeof runRowSchema>

export const metricSubjects = ['original', 'packed'] as const

/** A measurement of a run's two models, of the one beside the other (`name` as in comparisonMetrics), or of a model that belongs to no run. */
export const metricRowSchema = metricSchema.extend({
  id,
  model_id: id.nullable(),
  run_id: id.nullable(),
  subject: z.enum(metricSubjects),
  source: z.string(),
  sha256: z.string(),
  text_tokens: z.int(),
  seconds: z.number(),
  measured_at: time,
})
export type MetricRow = z.infer<typeof metricRowSchema>

export const exportRowSchema = z.object({
  id,
  run_id: id,
  format: z.string(),
  /** Null where the format has none, and of exports that are older than this column; so are the files and the verification. */
  type: z.string().nullable(),
  path: z.string(),
  bytes: z.number(),
  /** Read back and compared after it was written. */
  verified: z.boolean(),
  files: z.array(exportedFileSchema).nullable(),
  verification: verificationSchema.nullable(),
  created_at: time,
})
export type ExportRow = z.infer<typeof exportRowSchema>

/** A stage of a training run. */
export const phaseRowSchema = z.object({
  id,
  run_id: id,
  position: z.int().min(0),
  name: z.string(),
  /** Planned. */
  steps: z.int().min(0),
  started_at: time.nullable(),
  finished_at: time.nullable(),
})
export type PhaseRow = z.infer<typeof phaseRowSchema>

export const stepRowSchema = z.object({
  step: z.int().min(0),
  /** Null where it was not finite. */
  loss: z.number().nullable(),
  learning_rate: z.number().nullable(),
  /** Since the phase began. */
  seconds: z.number(),
})
export type StepRow = z.infer<typeof stepRowSchema>

/** A run in the list. */
export const runSummarySchema = runRowSchema.extend({ metrics: z.array(metricRowSchema) })
export type RunSummary = z.infer<typeof runSummarySchema>

export const runDetailsSchema = runSummarySchema.extend({
  model: modelRowSchema.nullable(),
  layer_reports: z.array(layerReportSchema),
  exports: z.array(exportRowSchema),
})
export type RunDetails = z.infer<typeof runDetailsSchema>

/** What the queue tells whoever listens. */
export type QueueEvent =
  /** Runs were added, moved, begun or ended: ask again what is in it. */
  | { kind: 'changed' }
  | { kind: 'started'; run: number }
  | { kind: 'event'; run: number; event: WorkerEvent; step: Step }
  | { kind: 'note'; run: number | null; note: Note }
  /** Which device it waits for, and who has that. */
  | { kind: 'waiting'; run: number; message: string }
  | { kind: 'ended'; run: number; ending: Ending<RunReport> }
