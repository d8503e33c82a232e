// Token files: little-endian U32 ids and nothing else.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { failure, success, type Result } from '../contract/errors.ts'
import { isCompressed } from './documents.ts'

export const tokenFileEnding = '.u32'

const unpack = promisify(gunzip)

export function tokenBytes(ids: Uint32Array): Buffer {
  const bytes = Buffer.allocUnsafe(ids.length * 4)
  ids.forEach((id, i) => bytes.writeUInt32LE(id, i * 4))
  return bytes
}

/** One after another. */
export function joined(parts: readonly Uint32Array[]): Uint32Array {
  const all = new Uint32Array(parts.reduce((total, part) => total + part.length, 0))
  let place = 0
  for (const part of parts) {
    all.set(part, place)
    place += part.length
  }
  return all
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

export async function readTokenFile(file: string): Promise<Result<Uint32Array>> {
  let bytes: Buffer
  try {
    bytes = await readFile(file)
  } catch (error) {
    return failure('text_unreadable', `The token file ${file} cannot be read.`, String(error))
  }
  if (bytes.length === 0) return failure('tokens_invalid', `The token file ${file} is empty.`)
  if (bytes.length % 4 !== 0) {
    return failure('tokens_invalid', `The token file ${file} has ${bytes.length} bytes, which is not a multiple of 4.`)
  }
  return success(Uint32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readUInt32LE(i * 4)))
}

/** The first id that a vocabulary of this size does not have, or null. */
export function idOutside(ids: Uint32Array, vocabulary: number): { id: number; at: number } | null {
  const at = ids.findIndex((id) => id >= vocabulary)
  return at < 0 ? null : { id: ids[at]!, at }
}

/** A text file as UTF-8, unpacked where its name ends in .gz; a byte-order mark at its start is dropped. */
export async function readText(file: string): Promise<Result<string>> {
  let bytes: Buffer
  try {
    const stored = await readFile(file)
    bytes = isCompressed(file) ? await unpack(stored) : stored
  } catch (error) {
    return failure('text_unreadable', `The text ${file} cannot be read.`, String(error))
  }
  try {
    return success(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return failure('text_unreadable', `${file} is not a UTF-8 text.`)
  }
}
