// The language spoken with the native worker: jobs in, event lines out (docs/PROTOCOL.md).
import { z } from 'zod'
import { devicePlanSchema, devicesSchema, type Precision } from './devices.ts'
import { problemSchema } from './errors.ts'
import {
  evaluationResultSchema,
  layerReportSchema,
  histogramSchema,
  metricSchema,
  modelSchema,
  noteSchema,
  quantizeResultSchema,
} from './records.ts'
import type { Protocol } from './evaluation.ts'
import { exportResultSchema, type ExportOptions } from './exports.ts'
import type { Parameters } from './methods.ts'
import type { NamedOverride } from './overrides.ts'
import type { TableTypes } from './tables.ts'

export const protocolVersion = 1

type Common = { version: typeof protocolVersion; threads: number }
/** Where a job computes. */
export type WorkerDevice = {
  /** `cpu`, `cuda` (the first card) or `cuda:N`. */
  device?: string
  /** A folder in which cuBLAS and cuSOLVER are looked for first. */
  device_libraries?: string | null
  /** Bytes of the card that may be in use at once; null: what it has. */
  device_memory_limit?: number | null
  precision?: Precision
}
export type WorkerRecipe = { method: string; parameters: Parameters }
export type WorkerRunRecipe = WorkerRecipe & { overrides?: NamedOverride[] } & Partial<TableTypes>
export type WorkerCalibration = {
  tokens: string
  sampling: string
  sequences: number
  length: number
  seed: number
}
export type Jobs = {
  inspect: Common & { model: string }
  quantize: Common & {
    model: string
    run: string
    recipe: WorkerRunRecipe
    calibration: WorkerCalibration | null
    resume: boolean
    /** Also on another device than before. */
    resume_elsewhere?: boolean
    activation_limit: number
  } & WorkerDevice
  layer: Common & { input: string; output: string; recipe: WorkerRecipe }
  evaluate: Common & {
    model: string
    /** The model that it is compared with. */
    reference: string | null
    tokens: string
    window: number
    protocol: Protocol
    /** Put in place of each window's first token; llama.cpp only. */
    bos: number | null
    /** A file for what was measured at every token. */
    targets: string | null
  } & WorkerDevice
  logits: Common & WorkerDevice & { model: string; tokens: string; output: string }
  export: Common & { model: string; output: string } & ExportOptions
  measure: Common & {
    model: string
    candidates: WorkerRecipe[]
    calibration: WorkerCalibration
    /** Place of the candidate that linears are probed with. */
    probe: number
    probe_sequences: number
    /** For activations that are not kept in memory. */
    folder: string
    activation_limit: number
  }
  devices: Common & { device_libraries?: string | null }
  /** Whether a run would fit on a card; it needs none. */
  'device-plan': Common & {
    model: string
    recipe: WorkerRunRecipe
    calibration: { sequences: number; length: number } | null
    /** Of the host, for activations. */
    activation_memory_bytes: number
    /** Of the card. */
    memory_bytes: number
  }
  /** A session: requests are lines on stdin, `GenerateLine`. context 0: the model's, at most 4096. */
  generate: Common & WorkerDevice & { model: string; context: number }
  /** A session: requests are lines on stdin, `LabLine`. */
  lab: Common & {
    model: string
    calibration: WorkerCalibration | null
    /** A folder that keeps Hessians, of this model and calibration alone. */
    hessians: string | null
    /** For activations that are not kept in memory. */
    folder: string
    activation_limit: number
  }
}
export type WorkerCommand = keyof Jobs

/** What a session of `generate` is told, one line of JSON each. */
export type GenerateLine =
  | {
      command: 'generate'
      /** Any whole number from 0 on; the answers carry it. */
      id: number
      tokens: number[]
      max_tokens: number
      /** 0: the most probable token. */
      temperature: number
      /** 0: off. */
      top_k: number
      /** 1: off. */
      top_p: number
      seed: number
      stop_tokens: number[]
    }
  | { command: 'halt' }
  | { command: 'stop' }
/** What a session of `lab` is told; `id` as above. */
export type LabLine =
  /** Puts a linear on the table. */
  | { command: 'put'; id: number; linear: string }
  /** Quantizes it; `output` becomes a packed folder of this one linear. */
  | { command: 'try'; id: number; recipe: WorkerRecipe; output: string }
  | { command: 'halt'; id: number }
  | { command: 'stop' }
/** Why an answer ended. */
export const generationEnds = ['stop_token', 'length', 'context', 'halted'] as const

/** `finished.result` of each command. */
export const resultSchemas = {
  inspect: modelSchema,
  quantize: quantizeResultSchema,
  layer: z.object({}),
  evaluate: evaluationResultSchema,
  logits: z.object({}),
  export: exportResultSchema,
  measure: z.object({
    tokens: z.int(),
    probe_tokens: z.int(),
    seconds: z.record(z.string(), z.number()),
    peak_resident_bytes: z.number(),
  }),
  devices: devicesSchema,
  'device-plan': devicePlanSchema,
  generate: z.object({ requests: z.int(), tokens: z.int() }),
  lab: z.object({ linears: z.int(), trials: z.int() }),
} satisfies Record<WorkerCommand, z.ZodType>
export type WorkerResult<C extends WorkerCommand> = z.infer<(typeof resultSchemas)[C]>

const line = { seq: z.int().min(0), elapsed: z.number() }

export const phases = [
  'hash',
  'calibrate',
  'factor',
  'quantize',
  'propagate',
  'write',
  'evaluate',
  'fit',
  'verify',
] as const

const events = [
  z.object({
    ...line,
    event: z.literal('started'),
    command: z.string(),
    program: z.string(),
    pid: z.number(),
    threads: z.number(),
    simd: z.string(),
    blas: z.string(),
    /** Null: the CPU. */
    device: z.object({ id: z.string(), name: z.string(), memory_bytes: z.number() }).nullable().default(null),
  }),
  z.object({
    ...line,
    event: z.literal('plan'),
    layers: z.number(),
    linears: z.number(),
    weights: z.number(),
    resumed_layers: z.number(),
  }),
  z.object({
    ...line,
    event: z.literal('progress'),
    // Open: a phase that this program does not know is still shown by its name.
    phase: z.string(),
    done: z.number(),
    total: z.number(),
    unit: z.string(),
    eta: z.number().nullable(),
  }),
  z.object({ ...line, event: z.literal('layer'), ...layerReportSchema.shape }),
  z.object({ ...line, event: z.literal('saved'), layer: z.number(), file: z.string(), bytes: z.number() }),
  z.object({
    ...line,
    event: z.literal('measured'),
    name: z.string(),
    layer: z.int(),
    candidate: z.int(),
    bytes: z.number(),
    relative_output_error: z.number().nullable(),
  }),
  z.object({
    ...line,
    event: z.literal('sensitivity'),
    name: z.string(),
    relative_output_error: z.number().nullable(),
    kld: z.number().nullable(),
    standard_error: z.number().nullable(),
  }),
  z.object({ ...line, event: z.literal('metric'), ...metricSchema.shape }),
  z.object({
    ...line,
    event: z.literal('ready'),
    architecture: z.string(),
    vocabulary: z.int(),
    context: z.int(),
    seconds: z.number(),
    cache_bytes: z.number(),
    resident_bytes: z.number(),
  }),
  z.object({ ...line, event: z.literal('token'), id: z.int(), index: z.int(), token: z.int() }),
  z.object({
    ...line,
    event: z.literal('generated'),
    id: z.int(),
    tokens: z.int(),
    reason: z.enum(generationEnds),
    prompt_tokens: z.int(),
    reused_tokens: z.int(),
    first_token_seconds: z.number().nullable(),
    seconds: z.number(),
    resident_bytes: z.number(),
  }),
  z.object({
    ...line,
    event: z.literal('linear'),
    id: z.int(),
    name: z.string(),
    rows: z.int(),
    columns: z.int(),
    tokens: z.int(),
    at_hand: z.boolean(),
    weights: histogramSchema,
    seconds: z.number(),
    resident_bytes: z.number(),
  }),
  z.object({
    ...line,
    event: z.literal('trial'),
    id: z.int(),
    report: layerReportSchema,
    quantized: histogramSchema,
    levels: z.array(z.number().nullable()),
    warnings: z.array(noteSchema),
    resident_bytes: z.number(),
  }),
  z.object({ ...line, event: z.literal('halted'), id: z.int() }),
  z.object({
    ...line,
    event: z.literal('refused'),
    id: z.int().nullable(),
    code: z.string(),
    message: z.string(),
  }),
  z.object({ ...line, event: z.literal('warning'), code: z.string(), message: z.string() }),
  z.object({ ...line, event: z.literal('finished'), result: z.record(z.string(), z.unknown()) }),
  z.object({ ...line, event: z.literal('stopped'), finished_layers: z.number(), layers: z.number() }),
  z.object({ ...line, event: z.literal('cancelled') }),
  z.object({ ...line, event: z.literal('failed'), ...problemSchema.shape }),
  z.object({
    ...line,
    event: z.literal('heartbeat'),
    resident_bytes: z.number(),
    device_bytes: z.number().optional(),
    device_peak_bytes: z.number().optional(),
  }),
] as const

export const workerEventSchema = z.discriminatedUnion('event', events)
export type WorkerEvent = z.infer<typeof workerEventSchema>
export const eventNames: readonly string[] = events.map((one) => one.shape.event.value)
