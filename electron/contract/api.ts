// Every call that the workbench answers: what it is asked, what it answers. The command line and the window both speak it.
import { z } from 'zod'
import { labLinearSchema, labPlaceSchema, trialRequestSchema, trialSchema } from './lab.ts'
import { cacheNames, cacheSchema } from './caches.ts'
import { curveSchema } from './curve.ts'
import { cardListSchema, deviceSchema, deviceWishSchema, placementSchema, precisionSchema } from './devices.ts'
import { problemSchema } from './errors.ts'
import { comparisonSchema, protocolSchema } from './evaluation.ts'
import { exportFormatSchema, exportResultSchema } from './exports.ts'
import { forecastSchema, readinessSchema } from './forecast.ts'
import { textAnswerSchema, textRequestSchema, type TextNews } from './generation.ts'
import { runDetailsSchema, runRowSchema, runSummarySchema, tagSchema } from './history.ts'
import { edgeSchema, pictureDifferenceSchema, pictureScaleSchema, picturesSchema } from './pictures.ts'
import { methodIds } from './methods.ts'
import { gainsAnswerSchema, planAnswerSchema, planRequestSchema } from './plan.ts'
import { calibrationSchema, joins, recipeSchema } from './recipe.ts'
import { runListSchema } from './run-list.ts'
import {
  fileBytesSchema,
  layerReportSchema,
  linearBytesSchema,
  measurementSchema,
  modelSchema,
  noteSchema,
  runReportSchema,
  tokensSchema,
} from './records.ts'
import { sampledTextRequestSchema, sampledTextSchema } from './sampled-text.ts'
import { settingChangesSchema, settingsSchema } from './settings.ts'
import { tokenLossesRequestSchema, tokenLossesSchema } from './token-losses.ts'
import { workerEventSchema, type WorkerEvent } from './worker.ts'

const folder = z.string().min(1)
const runId = z.int().min(1)
const runIds = z.array(runId).min(1).max(100_000)
/** Why something was not done with one of several runs. */
const refusalSchema = z.object({ id: runId, problem: problemSchema })
const threads = z.int().min(0).max(4096).default(0)
/** Where it computes; undefined: as the settings say. */
const device = deviceWishSchema.optional()
/** Of a card's products; undefined: F32. */
const precision = precisionSchema.optional()

/** A model folder that was found: what it holds, or what is wrong with it. */
export const foundModelSchema = z.object({
  folder: z.string(),
  name: z.string(),
  model: modelSchema.nullable(),
  problem: problemSchema.nullable(),
})
export type FoundModel = z.infer<typeof foundModelSchema>

/** A model that Signum knows, or a folder that cannot be used and why. */
export const modelCardSchema = foundModelSchema.extend({
  /** Of the history; null where the folder is not kept there. */
  id: z.int().min(1).nullable(),
  /** Came with Signum. */
  bundled: z.boolean(),
})
export type ModelCard = z.infer<typeof modelCardSchema>

export const textSchema = z.object({
  /** As recipes name it. */
  source: z.string(),
  bytes: z.number(),
  /** How it begins, in whole characters; '' for a token file. */
  beginning: z.string(),
})
export type TextCard = z.infer<typeof textSchema>

export const checkSchema = z.object({
  name: z.string(),
  ok: z.boolean(),
  /** What is there, or what is missing. */
  state: z.string(),
  /** The line to type; null when nothing is missing. */
  remedy: z.string().nullable(),
})
export type Check = z.infer<typeof checkSchema>

export const calls = {
  inspect: { request: z.object({ folder }), answer: modelSchema },
  models: { request: z.object({ folder }), answer: z.array(foundModelSchema) },
  quantize: {
    request: z.object({
      /** Null with `resume`: the run folder knows. */
      model: folder.nullable(),
      recipe: recipeSchema.nullable(),
      out: folder,
      resume: z.boolean().default(false),
      threads,
      /** For the history; null: made of model, method and parameters. */
      name: z.string().min(1).nullable().default(null),
      device,
      precision,
      /** The device was chosen for it: why, in a sentence; null: nobody asks. */
      why: z.string().nullable().optional(),
      /** With `resume`: also where the run was not before; the layers that are finished stay as they were made there. */
      elsewhere: z.boolean().optional(),
    }),
    answer: runReportSchema,
  },
  layer: {
    request: z.object({ input: folder, output: folder, recipe: recipeSchema, threads }),
    answer: z.object({ output: z.string(), layer: layerReportSchema, warnings: z.array(noteSchema) }),
  },
  evaluate: {
    request: z.object({
      model: folder,
      source: z.string().min(1),
      window: z.int().min(2).nullable(),
      protocol: protocolSchema.default('papers'),
      join: z.enum(joins).default('raw'),
      /** The model that it is compared with. */
      against: folder.nullable().default(null),
      threads,
      device,
    }),
    answer: z.object({
      model: z.string(),
      packed: z.boolean(),
      text: tokensSchema,
      perplexity: measurementSchema,
      against: z.object({ model: z.string(), perplexity: measurementSchema, comparison: comparisonSchema }).nullable(),
    }),
  },
  export: {
    request: z.object({
      model: folder,
      output: folder,
      format: exportFormatSchema,
      /** One of the format's (contract/exports.ts); null: its usual one. */
      type: z.string().nullable().default(null),
      /** Formats that are folders: most bytes of one file of weights; 0: one file. */
      shard_bytes: z.int().min(0).default(0),
      /** A file that is there is replaced; otherwise, and of folders always, it is refused. */
      overwrite: z.boolean().default(false),
      /** Format packed: the files get a name more instead of a copy. */
      link: z.boolean().default(false),
      threads,
    }),
    answer: exportResultSchema.extend({
      model: z.string(),
      output: z.string(),
      type: z.string().nullable(),
      warnings: z.array(noteSchema),
    }),
  },
  /** A text written by a model, which stays open for the next one for a while. A stop or a cancel ends the text early. */
  generate: { request: textRequestSchema, answer: textAnswerSchema },
  /** A packed folder that was made elsewhere becomes a finished run, once every hash in it was checked. */
  import: {
    request: z.object({
      folder,
      /** For the history; null: made of folder, method and parameters. */
      name: z.string().trim().min(1).max(200).nullable().default(null),
      /** Its files get a name more among Signum's own, instead of a copy. */
      link: z.boolean().default(false),
    }),
    /** `known`: the same model was a run already, and is this one. */
    answer: z.object({ id: runId, known: z.boolean() }),
  },
  /** Newest first. */
  runs: { request: z.object({}), answer: z.array(runSummarySchema) },
  /** The same for a window: everything once (`since` null), then what changed since a revision. */
  runList: { request: z.object({ since: z.int().min(0).nullable() }), answer: runListSchema },
  run: { request: z.object({ id: runId }), answer: runDetailsSchema },
  /** The run's folder and everything that the history has of it, or neither. */
  deleteRun: {
    request: z.object({ id: runId }),
    answer: z.object({ id: runId, folder: z.string().nullable(), notes: z.array(noteSchema) }),
  },
  /** Out of every list at once, each run for itself; the files go when the time to undo is over. */
  deleteRuns: {
    request: z.object({ ids: runIds }),
    answer: z.object({
      deleted: z.array(runId),
      refused: z.array(refusalSchema),
      /** Milliseconds since 1970. */
      until: z.int(),
    }),
  },
  undoDelete: {
    request: z.object({ ids: runIds }),
    answer: z.object({ restored: z.array(runId), refused: z.array(refusalSchema) }),
  },
  tagRuns: {
    request: z.object({ ids: runIds, add: z.array(tagSchema).default([]), remove: z.array(tagSchema).default([]) }),
    answer: z.null(),
  },
  noteRun: { request: z.object({ id: runId, note: z.string().max(10_000) }), answer: z.null() },
  /** Put away, or taken back. */
  archiveRuns: { request: z.object({ ids: runIds, archived: z.boolean() }), answer: z.null() },
  renameRun: { request: z.object({ id: runId, name: z.string().trim().min(1).max(200) }), answer: z.null() },
  /** What its workers said, without heartbeats, and of progress only the last line of each phase. */
  runEvents: { request: z.object({ id: runId }), answer: z.array(workerEventSchema) },
  /** Of a run that finished. */
  report: { request: z.object({ id: runId }), answer: runReportSchema },
  bytes: { request: z.object({ id: runId }), answer: fileBytesSchema },
  /** The same, cut by linear. */
  linearBytes: { request: z.object({ id: runId }), answer: linearBytesSchema },
  /** Of a run that finished: its results beside the original's and those of runs of similar size, to paste somewhere. */
  sheet: { request: z.object({ id: runId }), answer: z.object({ markdown: z.string() }) },
  /** What the models lost at every token of a text that a finished run was measured on (contract/token-losses.ts). */
  tokenLosses: { request: tokenLossesRequestSchema, answer: tokenLossesSchema },
  /** Which pictures there are of a finished run's linears; the pictures themselves travel as bytes (contract/pictures.ts). */
  runPictures: { request: z.object({ id: runId }), answer: picturesSchema },
  pictureScale: { request: z.object({ id: runId, linear: z.string().min(1) }), answer: pictureScaleSchema },
  /** The numbers that can be seen along a linear's edges. */
  pictureEdges: { request: z.object({ id: runId, linear: z.string().min(1) }), answer: z.array(edgeSchema) },
  /** `other` null: the original weights. */
  pictureDifference: {
    request: z.object({ id: runId, other: runId.nullable(), linear: z.string().min(1) }),
    answer: pictureDifferenceSchema,
  },
  /** The model that came with Signum and those that were added, as they are on disk now. */
  library: { request: z.object({}), answer: z.array(modelCardSchema) },
  /** Every model folder at or below this one; those that can be used are kept. */
  addModels: { request: z.object({ folder }), answer: z.array(modelCardSchema) },
  /** Off the list; its files and its runs stay. */
  forgetModel: { request: z.object({ id: z.int().min(1) }), answer: z.null() },
  /** The texts that come with Signum. */
  texts: { request: z.object({}), answer: z.array(textSchema) },
  text: { request: z.object({ source: z.string().min(1) }), answer: textSchema },
  /** One of the windows that a run would be calibrated on, as the run takes it. */
  sampledText: { request: sampledTextRequestSchema, answer: sampledTextSchema },
  /** For every method what it can reach on a model. `fixed`: parameters that stay, by method. */
  curves: {
    request: z.object({
      model: folder,
      fixed: z.partialRecord(z.enum(methodIds), recipeSchema.shape.parameters.unwrap()).default({}),
      /** For single linears; they have their part of every size, as the tables have. */
      overrides: recipeSchema.shape.overrides,
      embedding_type: recipeSchema.shape.embedding_type,
      head_type: recipeSchema.shape.head_type,
      /** It stands in the files too; undefined: not chosen yet, and the sizes have room for any. */
      calibration: calibrationSchema.nullable().optional(),
    }),
    answer: z.array(curveSchema),
  },
  /** A budget divided among the linears of a model, by what candidate recipes lose on each; measured first where it was not. */
  plan: { request: planRequestSchema, answer: planAnswerSchema },
  /** Of a finished run: what more bytes would gain, linear by linear, as far as `plan` has measured its model. */
  gains: { request: z.object({ id: runId, threads }), answer: gainsAnswerSchema },
  /** What a run will cost. */
  forecast: { request: z.object({ model: folder, recipe: recipeSchema, threads, device }), answer: forecastSchema },
  /** The cards, and why there are none. */
  cards: { request: z.object({}), answer: cardListSchema },
  /** Where a run would compute if it began now, and why there. */
  placement: { request: z.object({ model: folder, recipe: recipeSchema, device }), answer: placementSchema },
  /** The same for many recipes; what one cannot be forecast for does not hold up the others. */
  forecasts: {
    request: z.object({ model: folder, recipes: z.array(recipeSchema).min(1).max(64), threads, device }),
    answer: z.array(z.object({ forecast: forecastSchema.nullable(), problem: problemSchema.nullable() })),
  },
  /** Puts a linear on the table of the layer lab, which stays open for a while. Another one takes its place. */
  labOpen: { request: labPlaceSchema, answer: labLinearSchema },
  /** Quantizes it by a recipe; opens the lab where another linear, or none, is on the table. */
  labTry: { request: trialRequestSchema, answer: trialSchema },
  /** Its trials' pictures go too. */
  labClose: { request: z.object({}), answer: z.null() },
  /** Everything that a run looks at before it starts. */
  preflight: { request: z.object({ model: folder, recipe: recipeSchema, device }), answer: z.array(readinessSchema) },
  /** A recipe that was saved as a file, by whoever; its own texts are found from the folder that it lies in. */
  readRecipe: { request: z.object({ file: z.string().min(1) }), answer: recipeSchema },
  saveRecipe: { request: z.object({ file: z.string().min(1), recipe: recipeSchema }), answer: z.null() },
  /** Runs at work in this program, and waiting ones, the next one first. */
  queue: {
    request: z.object({}),
    answer: z.object({
      running: z.array(runId),
      waiting: z.array(runRowSchema),
      /** Why runs do not begin yet, as far as it is known: which device they wait for, and who has it. */
      waits: z.array(z.object({ run: runId, message: z.string() })),
    }),
  },
  enqueue: {
    request: z.object({
      model: folder,
      recipe: recipeSchema,
      name: z.string().min(1).nullable(),
      threads,
      device,
      precision,
    }),
    answer: runId,
  },
  /** Several for one model, one after another; or none of them. Their ids, in their order. */
  enqueueAll: {
    request: z.object({
      model: folder,
      runs: z
        .array(z.object({ recipe: recipeSchema, name: z.string().min(1).nullable() }))
        .min(1)
        .max(1000),
      threads,
      device,
      precision,
    }),
    answer: z.array(runId),
  },
  /** Before another run that waits, or last. */
  moveRun: { request: z.object({ id: runId, before: runId.nullable() }), answer: z.null() },
  /** Finishes the layer in hand and can be resumed. */
  stopRun: { request: z.object({ id: runId }), answer: z.null() },
  cancelRun: { request: z.object({ id: runId }), answer: z.null() },
  /** Those that wait or are at work; others are passed over. */
  cancelRuns: { request: z.object({ ids: runIds }), answer: z.null() },
  /** `device`: not `auto`, and whatever made its finished layers; without it where the run was. */
  resumeRun: {
    request: z.object({ id: runId, threads, device: deviceSchema.optional() }),
    answer: z.null(),
  },
  settings: { request: z.object({}), answer: settingsSchema },
  changeSettings: { request: settingChangesSchema, answer: settingsSchema },
  caches: { request: z.object({}), answer: z.array(cacheSchema) },
  /** Answers what is left of it. */
  emptyCache: { request: z.object({ name: z.enum(cacheNames) }), answer: cacheSchema },
  doctor: { request: z.object({}), answer: z.object({ version: z.string(), checks: z.array(checkSchema) }) },
} as const
export type Call = keyof typeof calls
export type Request<C extends Call> = z.input<(typeof calls)[C]['request']>
export type Answer<C extends Call> = z.infer<(typeof calls)[C]['answer']>

/** What is being done, while a call lasts. */
export type Step =
  | { name: 'quantize' }
  | { name: 'layer' }
  | { name: 'export' }
  | { name: 'measure' }
  | { name: 'lab' }
  /** `both`: the packed model beside its original. */
  | { name: 'evaluate'; subject: 'original' | 'packed' | 'both'; source: string }

/** What a caller may hear and ask for while a call lasts. */
export type Attention = {
  onEvent?: (event: WorkerEvent, step: Step) => void
  onNote?: (note: z.infer<typeof noteSchema>) => void
  /** What `generate` writes. */
  onText?: (news: TextNews) => void
  /** Finish the layer in hand, end resumable. */
  stop?: AbortSignal | undefined
  /** End within two seconds. */
  cancel?: AbortSignal | undefined
}

/** How a call ends: it may also be stopped or cancelled, which is nobody's mistake. */
export type Ending<T> =
  | { kind: 'finished'; value: T }
  | { kind: 'failed'; problem: z.infer<typeof problemSchema> }
  | { kind: 'stopped'; finishedLayers: number; layers: number }
  | { kind: 'cancelled' }
