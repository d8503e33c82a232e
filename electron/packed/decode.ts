// Packed linears back to F32 weights, from docs/FORMAT.md alone. It must agree with the native decoder bit for bit: each
// operation is done on F32 values in F64 and rounded at once with Math.fround (or by storing into a Float32Array), which
// for one sum or product of F32 values gives exactly the F32 result.
import { decodeArbRc } from './decode-arb-rc.ts'
import { decodeCodes } from './decode-codes.ts'
import { decodeFdb } from './decode-fdb.ts'
import { decodeMeans } from './decode-means.ts'
import { decodePbLlm } from './decode-pb-llm.ts'
import { decodeSignumRc } from './decode-signum-rc.ts'
import { PackedError } from './errors.ts'
import { strangeGroups } from './grouped.ts'
import type { Layout } from './layout.ts'
import { readOrder, readParts, type Parts, type RowRange } from './parts.ts'
import { setBits } from './planes.ts'
import type { TensorSource } from './source.ts'

/** All weights of a linear: [rows * columns], row by row, in the order of the input columns. */
export async function decodeLinear(source: TensorSource, linear: string): Promise<Float32Array> {
  return decodeRows(source, linear, { first: 0, count: layoutOf(source, linear).rows })
}

/** The weights of some rows: [range.count * columns]. Reads no more of the file than these rows need. */
export async function decodeRows(source: TensorSource, linear: string, range: RowRange): Promise<Float32Array> {
  const layout = layoutOf(source, linear)
  const { first, count } = range
  if (!Number.isInteger(first) || !Number.isInteger(count) || first < 0 || count < 0 || first + count > layout.rows) {
    throw new RangeError(`rows ${first} to ${first + count} of a linear with ${layout.rows}`)
  }
  const weights = new Float32Array(count * layout.columns)
  const parts = await readParts(source, linear, layout, range)
  if ('salient_columns' in layout) {
    const { length } = setBits(parts.bytes('salient'), layout.columns)
    if (length !== layout.salient_columns) {
      const sentence = `The layout of ${linear} says ${layout.salient_columns} salient columns and its bitmap has ${length}.`
      throw new PackedError('packed_broken', sentence)
    }
    if (strangeGroups(layout, parts)) {
      throw new PackedError('packed_broken', `A weight of ${linear} is in a group that its layout does not have.`)
    }
  }
  decodeStored(layout, parts, weights)
  const order = await readOrder(source, layout)
  if (order) toInputOrder(weights, order)
  return weights
}

export function layoutOf(source: TensorSource, linear: string): Layout {
  const layout = source.linears.get(linear) ?? source.tables?.get(linear)
  if (!layout) throw new PackedError('tensor_missing', `${source.path} has no quantized linear ${linear}.`)
  return layout
}

/** Fills `weights` in the order of the stored columns. */
export function decodeStored(layout: Layout, parts: Parts, weights: Float32Array): void {
  switch (layout.method) {
    case 'rtn':
    case 'gptq':
      return decodeCodes(layout, parts, weights)
    case 'billm':
    case 'arb':
    case 'arb-x':
      return decodeMeans(layout, parts, weights)
    case 'arb-rc':
      return decodeArbRc(layout, parts, weights)
    case 'pb-llm':
      return decodePbLlm(layout, parts, weights)
    case 'fdb':
      return decodeFdb(layout, parts, weights)
    case 'signum-rc':
      return decodeSignumRc(layout, parts, weights)
  }
}

/** Moves stored column j of every row to input column order[j]. */
function toInputOrder(weights: Float32Array, order: Uint32Array): void {
  const n = order.length
  const stored = new Float32Array(n)
  for (let start = 0; start < weights.length; start += n) {
    stored.set(weights.subarray(start, start + n))
    for (let j = 0; j < n; j++) weights[start + order[j]!] = stored[j]!
  }
}
