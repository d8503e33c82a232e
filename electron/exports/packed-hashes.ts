// Whether a packed folder has the bytes that were written: its own hashes say so.
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { failure, success, type Result } from '../contract/errors.ts'
import type { PackedModel } from '../packed/model.ts'
import { sha256OfFile } from './packed-files.ts'

/** Null: cancelled. */
export async function checkTensors(
  model: Pick<PackedModel, 'tensors' | 'verify'>,
  cancelled: () => boolean,
): Promise<Result<null> | null> {
  for (const name of model.tensors.keys()) {
    if (cancelled()) return null
    if (await model.verify(name)) continue
    return failure('packed_broken', `The tensor ${name} has not the bytes that were written: its sha256 is another.`)
  }
  return success(null)
}

/** The files that were copied from the source. */
export async function checkFiles(folder: string, source: ReadonlyMap<string, string>): Promise<Result<null>> {
  for (const name of (await readdir(folder)).toSorted()) {
    const expected = /\.safetensors(\.index\.json)?$/.test(name) ? undefined : source.get(name)
    if (expected === undefined || (await sha256OfFile(path.join(folder, name))) === expected) continue
    return failure('packed_broken', `${name} is not the file that was copied from the source: its sha256 is another.`)
  }
  return success(null)
}
