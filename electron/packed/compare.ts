// Holds the native decoder against this one: `signum-worker layer` writes what it packed and what it decodes to.
// As a command: node electron/packed/compare.ts <output of signum-worker layer> ...
import { decodeRows, layoutOf } from './decode.ts'
import { PackedError } from './errors.ts'
import { requireTensor } from './parts.ts'
import { openShard } from './shard.ts'

const linear = 'linear'
const decodedName = 'decoded'

export interface Difference {
  readonly row: number
  readonly column: number
  /** The F32 bits of both sides. */
  readonly ours: number
  readonly native: number
}

/** How many elements differ in any bit of their F32; -0 and +0 are different. */
export async function compareLayerFile(path: string): Promise<number> {
  return (await layerDifferences(path)).count
}

/** The same count, with the first few differences. */
export async function layerDifferences(path: string, most = 5): Promise<{ count: number; first: Difference[] }> {
  const shard = await openShard(path)
  try {
    const { rows, columns } = layoutOf(shard, linear)
    requireTensor(shard, decodedName, 'F32', [rows, columns])
    const found = { count: 0, first: [] as Difference[] }
    // A large layer is compared in pieces of about 4 MiB.
    const step = Math.max(1, Math.floor(2 ** 20 / columns))
    for (let row = 0; row < rows; row += step) {
      const count = Math.min(step, rows - row)
      const weights = await decodeRows(shard, linear, { first: row, count })
      const ours = new DataView(weights.buffer, weights.byteOffset, weights.byteLength)
      const bytes = await shard.read(decodedName, 4 * row * columns, 4 * (row + count) * columns)
      const native = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      for (let k = 0; k < weights.length; k++) {
        const bits = { ours: hostBits(ours, k), native: native.getUint32(4 * k, true) }
        if (bits.ours === bits.native) continue
        found.count += 1
        if (found.first.length < most) {
          found.first.push({ row: row + Math.floor(k / columns), column: k % columns, ...bits })
        }
      }
    }
    return found
  } finally {
    await shard.close()
  }
}

const hostIsLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1
const hostBits = (view: DataView, element: number) => view.getUint32(4 * element, hostIsLittleEndian)

if (import.meta.main) {
  for (const path of process.argv.slice(2)) {
    try {
      const { count, first } = await layerDifferences(path)
      console.log(`${path}: ${count} elements differ`)
      const hex = (bits: number) => bits.toString(16).padStart(8, '0')
      for (const { row, column, ours, native } of first) {
        console.log(`  row ${row}, column ${column}: ${hex(ours)} here, ${hex(native)} native`)
      }
      if (count > 0) process.exitCode = 1
    } catch (error) {
      if (!(error instanceof PackedError)) throw error
      console.error(`${error.code}: ${error.message}`)
      process.exitCode = 1
    }
  }
}
