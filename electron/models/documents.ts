// Files of JSON lines: one document a line, its text under "text", as C4's shards are; plain or compressed by gzip. Documents
// are read one by one where they lie, for a shard can be larger than memory.
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, open, rm, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { z } from 'zod'
import { failure, success, type Result } from '../contract/errors.ts'

export const isDocuments = (file: string): boolean => /\.jsonl?(\.gz)?$/i.test(file)
export const isCompressed = (file: string): boolean => /\.gz$/i.test(file)

export type Documents = {
  count: number
  text: (index: number) => Promise<Result<string>>
  close: () => Promise<void>
}

/** Compressed ones are unpacked into a temporary file until they are closed. */
export async function openDocuments(file: string): Promise<Result<Documents>> {
  let folder: string | null = null
  let handle: FileHandle | null = null
  const close = async () => {
    await handle?.close()
    if (folder !== null) await rm(folder, { recursive: true, force: true })
  }
  try {
    if (isCompressed(file)) folder = await mkdtemp(path.join(tmpdir(), 'signum-'))
    const plain = folder === null ? file : path.join(folder, 'documents.jsonl')
    if (folder !== null) await pipeline(createReadStream(file), createGunzip(), createWriteStream(plain))
    const opened = (handle = await open(plain))
    const lines = await linesIn(opened)
    if (lines.length > 0) {
      return success({ count: lines.length, text: (index) => readLine(file, opened, lines[index]!), close })
    }
    await close()
    return failure('text_unreadable', `${file} holds no documents: it is empty.`)
  } catch (error) {
    await close()
    return failure('text_unreadable', `The documents in ${file} cannot be read.`, String(error))
  }
}

const documentSchema = z.looseObject({ text: z.string() })

/** The text of one line; null where the line is no document. */
export function documentText(line: string): string | null {
  try {
    return documentSchema.parse(JSON.parse(line)).text
  } catch {
    return null
  }
}

type Line = { number: number; start: number; end: number }

async function readLine(file: string, handle: FileHandle, { number, start, end }: Line): Promise<Result<string>> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(end - start), 0, end - start, start)
  const text = bytesRead === end - start ? documentText(buffer.toString('utf8')) : null
  if (text !== null) return success(text)
  return failure(
    'text_unreadable',
    `${file}, line ${number}, is no document: a JSON object with its text under "text".`,
  )
}

const chunk = 2 ** 20
const [newline, carriageReturn] = [10, 13]

/** Where the lines with something in them lie. */
async function linesIn(handle: FileHandle): Promise<Line[]> {
  const lines: Line[] = []
  const buffer = Buffer.alloc(chunk)
  let [number, start, place, last] = [1, 0, 0, 0]
  const add = (end: number) => {
    if (end > start && !(end === start + 1 && last === carriageReturn)) lines.push({ number, start, end })
    number++
    start = end + 1
  }
  for (;;) {
    const { bytesRead } = await handle.read(buffer, 0, chunk, place)
    if (bytesRead === 0) break
    const read = buffer.subarray(0, bytesRead)
    for (let at = read.indexOf(newline); at >= 0; at = read.indexOf(newline, at + 1)) {
      if (at > 0) last = read[at - 1]!
      add(place + at)
    }
    last = read[bytesRead - 1]!
    place += bytesRead
  }
  if (place > start) add(place)
  return lines
}
