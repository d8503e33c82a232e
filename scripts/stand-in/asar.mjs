// An asar of a few small files: two length fields, a header in JSON, the files one after the other.
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'

/** @param {string} file @param {Record<string, string>} files by name, all at the top */
export function writeAsar(file, files) {
  /** @type {Record<string, object>} */
  const entries = {}
  const contents = []
  let offset = 0
  for (const [name, text] of Object.entries(files)) {
    const data = Buffer.from(text)
    const hash = createHash('sha256').update(data).digest('hex')
    const integrity = { algorithm: 'SHA256', hash, blockSize: 4194304, blocks: [hash] }
    entries[name] = { size: data.length, integrity, offset: String(offset) }
    contents.push(data)
    offset += data.length
  }
  const json = Buffer.from(JSON.stringify({ files: entries }))
  const padded = Math.ceil(json.length / 4) * 4
  const head = Buffer.alloc(16 + padded)
  head.writeUInt32LE(4, 0)
  head.writeUInt32LE(8 + padded, 4)
  head.writeUInt32LE(4 + padded, 8)
  head.writeUInt32LE(json.length, 12)
  json.copy(head, 16)
  writeFileSync(file, Buffer.concat([head, ...contents]))
}
