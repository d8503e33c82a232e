// Caches in the data folder: how large they are, and emptied. Nothing in them is missed: it is made again where it is wanted.
import { readdir, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Answer, Ending, Request } from '../contract/api.ts'
import { cacheNames, type Cache, type CacheName } from '../contract/caches.ts'
import { hessiansFolder, measurementsFolder } from '../history/place.ts'
import { refuse, type Context } from './context.ts'
import { withHistory } from './history.ts'

const folders: Record<CacheName, (data: string) => string> = {
  hessians: hessiansFolder,
  measurements: measurementsFolder,
}

export const caches = (context: Context): Promise<Ending<Answer<'caches'>>> =>
  withHistory(context, async ({ data }) => ({
    kind: 'finished',
    value: await Promise.all(cacheNames.map((name) => sizeOf(name, folders[name](data)))),
  }))

export const emptyCache = (context: Context, { name }: Request<'emptyCache'>): Promise<Ending<Answer<'emptyCache'>>> =>
  withHistory(context, async ({ data }) => {
    const folder = folders[name](data)
    try {
      await rm(folder, { recursive: true, force: true })
    } catch (error) {
      return refuse('delete_failed', `${folder} cannot be removed.`, String(error))
    }
    return { kind: 'finished', value: await sizeOf(name, folder) }
  })

async function sizeOf(name: CacheName, folder: string): Promise<Cache> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      // One that is gone meanwhile has no size.
      .map((entry) =>
        stat(path.join(entry.parentPath, entry.name)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
  )
  return { name, files: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) }
}
