// The files that keep Hessians between two labs: as many as there is room for, those used last.
import { readdir, rm, rmdir, stat } from 'node:fs/promises'
import path from 'node:path'

/** Bytes that they may take on a disk with room. */
export const hessianLimit = 4 * 2 ** 30
/** Milliseconds after which what was left half written is nobody's. */
const abandoned = 3_600_000

type Kept = { file: string; bytes: number; used: number }

/** Removes the files that were not used for longest until the others take at most `limit` bytes, and a tenth of the free disk. */
export async function pruneHessians(folder: string, freeDisk: number, limit = hessianLimit): Promise<void> {
  const files = await filesIn(folder)
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0)
  const most = Math.min(limit, (freeDisk + total) / 10)
  let kept = 0
  for (const { file, bytes, used } of files.sort((a, b) => b.used - a.used)) {
    const half = file.endsWith('.partial')
    if (!half && kept + bytes <= most) kept += bytes
    else if (!half || used < Date.now() - abandoned) await rm(file, { force: true })
  }
  const folders = await readdir(folder).catch(() => [])
  // One that is not empty stays.
  for (const name of folders) await rmdir(path.join(folder, name)).catch(() => undefined)
}

async function filesIn(folder: string): Promise<Kept[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const kept = entries.map(async (entry): Promise<Kept[]> => {
    const file = path.join(entry.parentPath, entry.name)
    const found = entry.isFile() ? await stat(file).catch(() => null) : null
    return found ? [{ file, bytes: found.size, used: found.mtimeMs }] : []
  })
  return (await Promise.all(kept)).flat()
}
