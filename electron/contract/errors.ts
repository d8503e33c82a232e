// What can go wrong: a stable code, one sentence for a person, detail for the log. Errors are values.
import { z } from 'zod'

/** Codes that the worker gives; docs/PROTOCOL.md says when. */
export const workerErrorCodes = [
  'not_a_model_folder',
  'config_invalid',
  'architecture_unsupported',
  'already_quantized',
  'checkpoint_not_safetensors',
  'shard_missing',
  'shard_broken',
  'tensor_missing',
  'tensor_shape',
  'weights_not_finite',
  'calibration_not_finite',
  'model_changed',
  'tokens_invalid',
  'sampling_invalid',
  'logits_not_finite',
  'calibration_too_short',
  'evaluation_too_short',
  'context_too_long',
  'reference_mismatch',
  'recipe_invalid',
  'run_in_use',
  'resume_mismatch',
  'nothing_to_resume',
  'disk_full',
  'memory_short',
  'device_missing',
  'device_memory_short',
  'device_failed',
  'write_failed',
  'read_failed',
  'scales_overflow',
  'factor_failed',
  'job_invalid',
  'packed_broken',
  'tokenizer_missing',
  'tokenizer_broken',
  'tokenizer_unsupported',
  'export_unsupported',
  'export_unverified',
  'internal',
] as const

/** Codes given on this side of the worker; docs/CLI.md says when. */
export const ownErrorCodes = [
  'command_unknown',
  'option_unknown',
  'option_invalid',
  'budget_too_small',
  'method_unknown',
  'not_measured',
  'calibration_missing',
  'text_unreadable',
  'worker_missing',
  'worker_hung',
  'worker_crashed',
  'history_unavailable',
  'history_newer',
  'run_unknown',
  'run_busy',
  'run_lost',
  'losses_missing',
  'texts_differ',
  'device_busy',
  'generation_busy',
  'export_busy',
  'chat_template_missing',
  'chat_template_broken',
  'delete_refused',
  'delete_failed',
  'undo_late',
  'undo_refused',
  'request_invalid',
  'sender_refused',
] as const

export type ErrorCode = (typeof workerErrorCodes)[number] | (typeof ownErrorCodes)[number]

/** The code is open: a newer worker may know more of them than this list. */
export const problemSchema = z.object({ code: z.string(), message: z.string(), detail: z.string().optional() })
export type Problem = z.infer<typeof problemSchema>

export type Result<T> = { ok: true; value: T } | { ok: false; problem: Problem }

export const success = <T>(value: T): Result<T> => ({ ok: true, value })

export function failure(code: ErrorCode, message: string, detail?: string): { ok: false; problem: Problem } {
  return { ok: false, problem: detail === undefined ? { code, message } : { code, message, detail } }
}

/** How a command of Signum ends; the worker uses the first five too. */
export const exitCodes = {
  finished: 0,
  failed: 1,
  usage: 2,
  stopped: 3,
  cancelled: 4,
  /** Ctrl-C where nothing is left to go on with: the shells' own 128 + SIGINT. */
  interrupted: 130,
} as const

const usageCodes: readonly string[] = [
  'command_unknown',
  'option_unknown',
  'option_invalid',
  'budget_too_small',
  'method_unknown',
  'recipe_invalid',
  'calibration_missing',
]

export const exitCodeOf = (code: string): number => (usageCodes.includes(code) ? exitCodes.usage : exitCodes.failed)
