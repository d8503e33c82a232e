// A model as files for another program.
import { lstat, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import type { Answer, Attention, Ending, Request } from '../contract/api.ts'
import { failure, success, type Result } from '../contract/errors.ts'
import { exportFormat, type ExportOptions } from '../contract/exports.ts'
import type { Note } from '../contract/records.ts'
import { refused, stoppedAtOnce, work, type Context } from '../runs/context.ts'
import { modelFolder } from '../runs/folder.ts'
import { recordExport } from '../runs/history.ts'

/** Where the worker writes until what is there was read back and compared. */
const partial = (output: string): string => `${output}.partial`

/**
 * A model folder (original or packed), or a run's folder, whose packed model is meant then. The output is there whole and verified, or
 * as it was before. A stop ends it like a cancel.
 */
export async function exportModel(
  context: Context,
  request: Request<'export'>,
  attention: Attention,
): Promise<Ending<Answer<'export'>>> {
  const options = optionsOf(request)
  if (!options.ok) return refused(options.problem)
  const output = path.resolve(request.output)
  const place = await checkPlace(output, request)
  if (!place.ok) return refused(place.problem)
  const model = await modelFolder(path.resolve(request.model))
  const warnings: Note[] = []
  const listener = {
    ...stoppedAtOnce(attention),
    onNote: (note: Note) => {
      warnings.push(note)
      attention.onNote?.(note)
    },
  }
  const threads = request.threads || availableParallelism()
  const job = { version: 1, threads, model, output, ...options.value } as const
  const ending = await work(context, 'export', job, listener, { name: 'export' })
  // A worker that was ended in the middle could not clean up.
  if (ending.kind !== 'finished') {
    await rm(partial(output), { recursive: exportFormat(request.format).folder, force: true }).catch(() => undefined)
    return ending
  }
  const exported = { model, output, type: job.type, ...ending.value }
  await recordExport(context, exported, attention.onNote)
  return { kind: 'finished', value: { ...exported, warnings } }
}

function optionsOf({ format, type, shard_bytes }: Request<'export'>): Result<ExportOptions> {
  const { types, folder } = exportFormat(format)
  const chosen = type ?? types[0]
  if (chosen === undefined || !types.includes(chosen)) {
    const message = `--type must be ${types.join(' or ')} with --format ${format}, not '${type}'.`
    return failure('option_invalid', message)
  }
  if (shard_bytes && !folder) return failure('option_invalid', `--shard-size: ${format} is one file.`)
  return success({ format, type: chosen } as ExportOptions)
}

async function checkPlace(output: string, { format, overwrite }: Request<'export'>): Promise<Result<null>> {
  const there = await lstat(output).catch(() => null)
  if (there === null) return success(null)
  if (!overwrite) return failure('option_invalid', `${output} is already there; --overwrite replaces it.`)
  if (there.isDirectory() === exportFormat(format).folder) return success(null)
  const [is, asked] = there.isDirectory() ? ['a folder', 'a file'] : ['a file', 'a folder']
  return failure('option_invalid', `${output} is ${is}, and ${format} is ${asked}.`)
}
