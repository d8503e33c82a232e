// Finding model folders on disk: plain ones, and the Hugging Face hub's cache (models--OWNER--NAME/snapshots/REVISION, whose
// files are links into blobs/).
import { readdir, realpath } from 'node:fs/promises'
import path from 'node:path'

export type ModelFolder = { folder: string; name: string }

const skipped = new Set(['node_modules', 'blobs', 'refs'])
const deepest = 8

/** Every folder at or below `start` that has a config.json, in order of its path. */
export async function findModelFolders(start: string): Promise<ModelFolder[]> {
  const found: ModelFolder[] = []
  const seen = new Set<string>()
  const visit = async (folder: string, depth: number): Promise<void> => {
    // Folders may be links, also to one of their parents.
    const real = await realpath(folder).catch(() => null)
    if (real === null || seen.has(real)) return
    seen.add(real)
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
    if (entries.some((entry) => entry.name === 'config.json')) found.push({ folder, name: modelName(folder, start) })
    if (depth === deepest) return
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const mayHold = entry.isDirectory() || entry.isSymbolicLink()
      if (mayHold && !entry.name.startsWith('.') && !skipped.has(entry.name)) {
        await visit(path.join(folder, entry.name), depth + 1)
      }
    }
  }
  await visit(path.resolve(start), 0)
  return found
}

/** `owner/name` for a snapshot in the hub's cache, with the revision; else the path below `start`. */
export function modelName(folder: string, start: string): string {
  const parts = folder.split(path.sep)
  const [repository, snapshots, revision] = parts.slice(-3)
  if (snapshots === 'snapshots' && repository?.startsWith('models--') && revision !== undefined) {
    return `${repository.slice('models--'.length).replaceAll('--', '/')}@${revision.slice(0, 7)}`
  }
  return path.relative(path.resolve(start), folder) || path.basename(folder)
}
