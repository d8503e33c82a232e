// How a text file begins: for those who want to see it, or to judge its length by it.
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'
import { documentText, isCompressed, isDocuments } from './documents.ts'

export type Beginning = {
  /** Whole characters; of a file of documents their texts, whole ones except perhaps the last. */
  texts: string[]
  /** Of the file's bytes, 0 to 1. */
  share: number
}

/** About so many bytes of it. Throws what the file system says. */
export async function beginningOf(file: string, bytes: number): Promise<Beginning> {
  const { size } = await stat(file)
  const { read, consumed } = await firstBytes(file, bytes)
  const share = size === 0 ? 1 : Math.min(1, consumed / size)
  const text = new TextDecoder('utf-8', { fatal: true }).decode(read, { stream: true }).replace(/^\ufeff/, '')
  if (!isDocuments(file)) return { texts: [text], share }
  const lines = text.split('\n')
  const whole = share < 1 ? lines.slice(0, -1) : lines
  return { texts: whole.flatMap((line) => documentText(line) ?? []), share }
}

async function firstBytes(file: string, bytes: number): Promise<{ read: Buffer; consumed: number }> {
  const source = createReadStream(file)
  const unpack = isCompressed(file) ? createGunzip() : null
  source.on('error', (error) => unpack?.destroy(error))
  const stream = unpack === null ? source : source.pipe(unpack)
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    length += chunk.length
    if (length >= bytes) break
  }
  source.destroy()
  const read = Buffer.concat(chunks)
  if (unpack !== null) return { read, consumed: unpack.bytesWritten }
  const kept = read.subarray(0, bytes)
  return { read: kept, consumed: kept.length }
}
