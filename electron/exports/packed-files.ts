// The files of a packed folder, taken somewhere else: copied, or linked where the file system can.
import { constants, createReadStream } from 'node:fs'
import { copyFile, link, mkdir, open, stat } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import path from 'node:path'
import type { Model } from '../contract/records.ts'
import { failure, success, type Result } from '../contract/errors.ts'

/** What a packed folder is made of: config.json, index, shards, the tokenizer's files; nothing else that lies beside them. */
export const packedFiles = ({ files, copied }: Pick<Model, 'files' | 'copied'>): string[] =>
  [...new Set([...files.map(({ name }) => name), ...(copied ?? [])])].toSorted()

/** `linked`: a name more for the same bytes instead of a copy. Durable when it returns. */
export async function takeFiles(
  names: readonly string[],
  from: string,
  to: string,
  linked: boolean,
  cancelled: () => boolean = () => false,
): Promise<Result<null> | null> {
  try {
    await mkdir(to, { recursive: true })
    for (const name of names) {
      if (cancelled()) return null
      const [source, target] = [path.join(from, name), path.join(to, name)]
      if (linked) await link(source, target)
      else await copyFile(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
      await sync(target)
    }
    await sync(to)
    return success(null)
  } catch (error) {
    return failed(error, from, to)
  }
}

function failed(error: unknown, from: string, to: string): Result<null> {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT') return failure('disk_full', `There is no room for ${from} in ${to}.`)
  if (code === 'EXDEV' || code === 'EPERM' || code === 'ENOTSUP') {
    return failure('write_failed', `${to} cannot hold links to ${from} (${code}): copy it instead.`, message)
  }
  return failure('write_failed', `${from} cannot be taken to ${to} (${code ?? 'unknown reason'}).`, message)
}

/** Not every system can sync a folder, or a file of somebody else. */
export async function sync(file: string): Promise<void> {
  const handle = await open(file).catch(() => null)
  await handle?.sync().catch(() => undefined)
  await handle?.close()
}

export async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(file)) hash.update(piece as Buffer)
  return hash.digest('hex')
}

export async function bytesOf(folder: string, names: readonly string[]): Promise<number> {
  const sizes = await Promise.all(names.map(async (name) => (await stat(path.join(folder, name))).size))
  return sizes.reduce((total, size) => total + size, 0)
}
