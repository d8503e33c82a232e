import { PackedError } from './errors.ts'
import type { LayoutOf } from './layout.ts'
import type { Parts } from './parts.ts'
import { bitAt, codeAt, rowBytes } from './planes.ts'
import { highZeros } from './roles.ts'

/** `pb-llm`: salient weights w = r(code_scale * (code - code_zero)), the others w = r(mean + s(sign) * scale). */
export function decodePbLlm(layout: LayoutOf<'pb-llm'>, parts: Parts, weights: Float32Array): void {
  const { columns: n, group } = layout
  const groups = Math.ceil(n / group)
  const salient = salientMask(layout, parts)
  const codes = salientCodes(layout, parts, salient)
  const sign = parts.bytes('sign')
  const [mean, scale, step] = [parts.scalars('mean'), parts.scalars('scale'), parts.scalars('code_scale')]
  const zero = parts.bytes('code_zero')
  const stride = rowBytes(n)
  for (let i = 0; i < parts.rows; i++) {
    for (let j = 0; j < n; j++) {
      const at = i * groups + Math.floor(j / group)
      const binary = mean[at]! + (bitAt(sign, i * stride, j) === 1 ? scale[at]! : -scale[at]!)
      const isSalient = salient[i * n + j] === 1
      weights[i * n + j] = Math.fround(isSalient ? step[i]! * (codes[i * n + j]! - zero[i]!) : binary)
    }
  }
}

/** 1 = a salient weight: [rows * columns]. */
export function salientMask(layout: LayoutOf<'pb-llm'>, parts: Parts): Uint8Array {
  const mask = new Uint8Array(parts.rows * layout.columns)
  const counts = parts.counts('salient_count')
  const read = layout.mask_low_bits === 0 ? planeColumns(layout, parts) : codedColumns(layout, parts)
  for (let i = 0; i < parts.rows; i++) {
    const columns = read(i, counts[i]!)
    const last = columns.at(-1) ?? -1
    if (
      columns.length !== counts[i] ||
      last >= layout.columns ||
      columns.some((column, k) => column <= (columns[k - 1] ?? -1))
    ) {
      const sentence = `A row of the mask has not the ${counts[i]} salient weights that its count says.`
      throw new PackedError('packed_broken', sentence)
    }
    for (const column of columns) mask[i * layout.columns + column] = 1
  }
  return mask
}

type ReadColumns = (row: number, count: number) => number[]

function planeColumns({ columns: n }: LayoutOf<'pb-llm'>, parts: Parts): ReadColumns {
  const plane = parts.bytes('mask')
  return (row) => {
    const found: number[] = []
    for (let j = 0; j < n; j++) if (bitAt(plane, row * rowBytes(n), j) === 1) found.push(j)
    return found
  }
}

/** Elias-Fano: a row's zeros count buckets of 2^mask_low_bits columns, each one in between is a salient weight of the bucket. */
function codedColumns(layout: LayoutOf<'pb-llm'>, parts: Parts): ReadColumns {
  const low = parts.bytes('mask_low')
  const high = parts.bytes('mask_high')
  const bits = layout.mask_low_bits
  const zeros = highZeros(layout)
  let before = 0
  let bit = 0
  return (_, count) => {
    const found: number[] = []
    let bucket = 0
    for (const end = bit + count + zeros; bit < end; bit++) {
      if (bitAt(high, 0, bit) === 0) bucket++
      else found.push(bucket * 2 ** bits + codeAt(low, 0, Math.min(before + found.length, before + count - 1), bits))
    }
    before += count
    return found
  }
}

/** The codes of the salient weights: [rows * columns], 0 for the others. The top bit is the one of the sign plane. */
export function salientCodes(layout: LayoutOf<'pb-llm'>, parts: Parts, salient: Uint8Array): Uint8Array {
  const n = layout.columns
  const sign = parts.bytes('sign')
  const code = parts.bytes('code')
  const low = layout.salient_bits - 1
  const codes = new Uint8Array(salient.length)
  let next = 0
  for (let i = 0; i < parts.rows; i++) {
    for (let j = 0; j < n; j++) {
      if (salient[i * n + j] === 0) continue
      codes[i * n + j] = codeAt(code, 0, next++, low) | (bitAt(sign, i * rowBytes(n), j) << low)
    }
  }
  return codes
}
