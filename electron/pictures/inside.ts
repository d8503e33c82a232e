// Links are followed only as far as the folders that are recorded for a run.
import { realpath } from 'node:fs/promises'
import path from 'node:path'
import { fileError, PackedError } from '../packed/errors.ts'

/** Throws unless `file` really lies in one of the folders, wherever links lead. */
export async function requireInside(file: string, folders: readonly string[]): Promise<void> {
  const real = await realpath(file).catch((cause: unknown) => {
    throw fileError(file, cause)
  })
  for (const folder of folders) {
    const home = await realpath(folder).catch(() => null)
    if (home !== null && real.startsWith(home.endsWith(path.sep) ? home : home + path.sep)) return
  }
  throw new PackedError('read_failed', `${file} is a link to a place outside its folder.`)
}

/** A snapshot of the hub's cache (models--OWNER--NAME/snapshots/REVISION) is links into its neighbour blobs/. */
export function homesOf(model: string): string[] {
  const [repository, snapshots] = path.resolve(model).split(path.sep).slice(-3)
  const cached = snapshots === 'snapshots' && repository?.startsWith('models--')
  return cached ? [model, path.join(model, '..', '..', 'blobs')] : [model]
}
