// A model as files for another program.
import { lstat, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import type { Answer, Attention, Ending, Request } from '../contract/api.ts'
import { failure, success, type Result } from '../contract/errors.ts'
import { exportFormat, type ExportOptions, type ExportResult } from '../contract/exports.ts'
import type { Note } from '../contract/records.ts'
import { refused, stoppedAtOnce, work, type Context } from '../runs/context.ts'
import { modelFolder } from '../runs/folder.ts'
import { recordExport } from '../runs/history.ts'
import { settleFolder, writePacked } from './packed.ts'

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
  const written = await (options.value === null
    ? writePacked(context, { model, output: partial(output), link: request.link ?? false }, listener)
    : writeByWorker(context, { model, output, ...options.value }, request.threads, listener))
  if (options.value === null && written.kind === 'finished') {
    const placed = await settleFolder(partial(output), output)
    if (!placed.ok) return refused(placed.problem)
  }
  // A worker that was ended in the middle could not clean up.
  if (written.kind !== 'finished') {
    await rm(partial(output), { recursive: exportFormat(request.format).folder, force: true }).catch(() => undefined)
    return written
  }
  const type = options.value !== null && 'type' in options.value ? options.value.type : null
  const exported = { model, output, type, ...written.value }
  await recordExport(context, exported, attention.onNote)
  return { kind: 'finished', value: { ...exported, warnings } }
}

const writeByWorker = (
  context: Context,
  what: { model: string; output: string } & ExportOptions,
  threads: number | undefined,
  attention: Attention,
): Promise<Ending<ExportResult>> =>
  work(context, 'export', { version: 1, threads: threads || availableParallelism(), ...what }, attention, {
    name: 'export',
  })

/** Null: a packed folder, which needs no worker. */
function optionsOf({ format, type = null, shard_bytes = 0, link }: Request<'export'>): Result<ExportOptions | null> {
  const { types, folder } = exportFormat(format)
  if (type !== null && !types.includes(type)) {
    const which = types.length === 0 ? `does not go` : `must be ${types.join(' or ')}`
    return failure('option_invalid', `--type ${which} with --format ${format}, not '${type}'.`)
  }
  if (shard_bytes && !folder) return failure('option_invalid', `--shard-size: ${format} is one file.`)
  if (shard_bytes && format === 'packed') return failure('option_invalid', '--shard-size: packed keeps its files.')
  if (link && format !== 'packed') return failure('option_invalid', '--link goes with --format packed.')
  if (format === 'packed') return success(null)
  if (format === 'gptq') return success({ format, shard_bytes })
  const chosen = { format, type: type ?? types[0] } as ExportOptions
  return success(format === 'huggingface' ? ({ ...chosen, shard_bytes } as ExportOptions) : chosen)
}

async function checkPlace(output: string, { overwrite, format }: Request<'export'>): Promise<Result<null>> {
  const there = await lstat(output).catch(() => null)
  if (there === null) return success(null)
  if (exportFormat(format).folder) {
    return failure('option_invalid', `${output} is already there; a folder is never replaced: choose another one.`)
  }
  if (!overwrite) return failure('option_invalid', `${output} is already there; --overwrite replaces it.`)
  return there.isDirectory()
    ? failure('option_invalid', `${output} is a folder, and ${format} is a file.`)
    : success(null)
}
