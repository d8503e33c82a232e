// Zip files, as far as an Electron needs them: reads stored and deflated entries, writes stored ones; no encryption, no zip64.
// Its own, because the set-up runs before any package is there.
import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { statSync, writeFileSync, writeSync } from 'node:fs'
import path from 'node:path'
import { crc32, inflateRawSync } from 'node:zlib'
import { Refusal } from '../node.mjs'

const damaged = (/** @type {string} */ file, /** @type {string} */ how) =>
  new Refusal('zip_damaged', `${file} is not a zip that can be read: ${how}.`)

/**
 * Unpacks the entries for which `place` gives a path below `out`. @returns {number} how many
 * @param {string} file @param {(name: string) => string | null} place @param {string} out
 */
export function unzip(file, place, out) {
  const descriptor = openSync(file, 'r')
  const at = (/** @type {number} */ position, /** @type {number} */ length) => {
    const bytes = Buffer.alloc(length)
    if (readSync(descriptor, bytes, 0, length, position) !== length) throw damaged(file, 'it ends early')
    return bytes
  }
  try {
    const { size } = fstatSync(descriptor)
    const tail = at(Math.max(0, size - 65557), Math.min(size, 65557))
    const end = tail.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'))
    if (end < 0) throw damaged(file, 'it has no directory')
    const directory = at(tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12))
    let count = 0
    for (let p = 0; p + 46 <= directory.length && directory.readUInt32LE(p) === 0x02014b50;) {
      const nameLength = directory.readUInt16LE(p + 28)
      const name = directory.toString('utf8', p + 46, p + 46 + nameLength)
      const method = directory.readUInt16LE(p + 10)
      const crc = directory.readUInt32LE(p + 16)
      const packed = directory.readUInt32LE(p + 20)
      const mode = (directory.readUInt32LE(p + 38) >>> 16) & 0o777
      const header = directory.readUInt32LE(p + 42)
      p += 46 + nameLength + directory.readUInt16LE(p + 30) + directory.readUInt16LE(p + 32)
      const to = name.endsWith('/') ? null : place(name)
      if (to === null) continue
      const local = at(header, 30)
      const raw = at(header + 30 + local.readUInt16LE(26) + local.readUInt16LE(28), packed)
      if (method !== 0 && method !== 8) throw damaged(file, `${name} is packed by method ${method}`)
      const data = method === 8 ? inflateRawSync(raw) : raw
      if (crc32(data) !== crc) throw damaged(file, `${name} does not have its checksum`)
      const target = path.join(out, to)
      mkdirSync(path.dirname(target), { recursive: true })
      writeFileSync(target, data, { mode: mode || 0o644 })
      count += 1
    }
    return count
  } finally {
    closeSync(descriptor)
  }
}

/** Writes the files of a folder into a zip, uncompressed, the same bytes every time. @param {string} folder @param {string} file */
export function zip(folder, file) {
  const descriptor = openSync(file, 'w')
  /** @type {Buffer[]} */
  const central = []
  let position = 0
  const put = (/** @type {Buffer} */ bytes) => {
    writeSync(descriptor, bytes)
    position += bytes.length
  }
  try {
    for (const relative of filesOf(folder)) {
      const full = path.join(folder, relative)
      const name = Buffer.from(relative.split(path.sep).join('/'))
      const data = readFileSync(full)
      const common = Buffer.alloc(26) // version needed, flags, method, time, date, crc, sizes, name length, extra length
      common.writeUInt16LE(20, 0)
      common.writeUInt16LE(0x21, 8) // 1980-01-01
      common.writeUInt32LE(crc32(data), 10)
      common.writeUInt32LE(data.length, 14)
      common.writeUInt32LE(data.length, 18)
      common.writeUInt16LE(name.length, 22)
      const place = Buffer.alloc(14) // comment length, disk, internal attributes, external attributes, offset
      place.writeUInt32LE(((0o100000 | (statSync(full).mode & 0o777)) << 16) >>> 0, 6)
      place.writeUInt32LE(position, 10)
      central.push(Buffer.from('PK\x01\x02\x14\x03', 'latin1'), common, place, name)
      put(Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, name]))
      put(data)
    }
    const directory = Buffer.concat(central)
    const end = Buffer.alloc(22)
    end.write('PK\x05\x06', 'latin1')
    end.writeUInt16LE(central.length / 4, 8)
    end.writeUInt16LE(central.length / 4, 10)
    end.writeUInt32LE(directory.length, 12)
    end.writeUInt32LE(position, 16)
    put(directory)
    put(end)
  } finally {
    closeSync(descriptor)
  }
}

/** Paths of all files below a folder, sorted, without those whose own name begins with a dot. @param {string} folder */
export function filesOf(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => path.join(path.relative(folder, entry.parentPath), entry.name))
    .sort()
}
