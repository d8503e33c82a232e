// The packed folder itself, taken somewhere else with proof that it is the same model.
import { lstat, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Attention, Ending } from '../contract/api.ts'
import { failure, success, type Result } from '../contract/errors.ts'
import type { ExportedFile, ExportResult, Rounding } from '../contract/exports.ts'
import { PackedError } from '../packed/errors.ts'
import { openPackedModel, type PackedModel } from '../packed/model.ts'
import { refused, type Context } from '../runs/context.ts'
import { inspect } from '../runs/models.ts'
import { toldBy } from './imported-report.ts'
import { checkFiles, checkTensors } from './packed-hashes.ts'
import { packedFiles, sha256OfFile, sync, takeFiles } from './packed-files.ts'

/** Into a folder that gets its name afterwards (settleFolder); what an ended process left there goes. */
export async function writePacked(
  context: Context,
  { model: from, output, link }: { model: string; output: string; link: boolean },
  attention: Attention,
): Promise<Ending<ExportResult>> {
  const inspected = await inspect(context, { folder: from }, attention)
  if (inspected.kind !== 'finished') return inspected
  if (!inspected.value.packed) {
    const message = `${from} is not packed: --format packed takes a packed folder, or a finished run's folder.`
    return refused(failure('export_unsupported', message).problem)
  }
  await rm(output, { recursive: true, force: true })
  const cancelled = () => attention.cancel?.aborted === true
  const names = packedFiles(inspected.value)
  const taken = await takeFiles(names, from, output, link, cancelled)
  if (taken === null) return { kind: 'cancelled' }
  if (!taken.ok) return refused(taken.problem)
  try {
    const verified = await verify(output, cancelled)
    if (verified === null) return { kind: 'cancelled' }
    if (!verified.ok) return refused(verified.problem)
    const files = await filesIn(output, names)
    const bytes = files.reduce((sum, one) => sum + one.bytes, 0)
    const verification = verified.value
    const types = [{ type: 'packed', ...verification }]
    const { tensors } = verification
    const value = { format: 'packed', files, bytes, tensors, architecture: null, verification, types, chosen: [] }
    return { kind: 'finished', value }
  } catch (error) {
    if (!(error instanceof PackedError)) throw error
    return refused({ code: error.code, message: error.message })
  }
}

/** Every tensor by its hash, and every copied file. Null: cancelled. */
async function verify(folder: string, cancelled: () => boolean): Promise<Result<Rounding> | null> {
  const model = await openPackedModel(folder)
  try {
    const told = toldBy(model)
    if (!told.ok) return told
    const tensors = await checkTensors(model, cancelled)
    if (!tensors?.ok) return tensors
    const files = await checkFiles(folder, told.value.source)
    return files.ok ? success(counted(model)) : files
  } finally {
    await model.close()
  }
}

/** Stored numbers, codes and words of bits: all of them as they were. */
function counted({ tensors }: PackedModel): Rounding {
  let values = 0
  for (const { shape } of tensors.values()) values += shape.reduce((product, length) => product * length, 1)
  return { tensors: tensors.size, values, exact_values: values, relative_error: 0, largest_error: 0 }
}

const filesIn = (folder: string, names: readonly string[]): Promise<ExportedFile[]> =>
  Promise.all(
    names.map(async (name) => {
      const file = path.join(folder, name)
      return { name, bytes: (await stat(file)).size, sha256: await sha256OfFile(file) }
    }),
  )

/** A folder that has come to stand there meanwhile stays. */
export async function settleFolder(from: string, to: string): Promise<Result<null>> {
  try {
    if (await lstat(to).catch(() => null)) throw new Error(`${to} is already there`)
    await rename(from, to)
    await sync(path.dirname(to))
    return success(null)
  } catch (error) {
    await rm(from, { recursive: true, force: true })
    return failure('write_failed', `${to} cannot get its name: ${(error as Error).message}.`)
  }
}
