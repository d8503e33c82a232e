// Rows of a picture at level 0, in the order of the input columns: a number per weight, NaN where a picture of bits has none.
import type { PictureKind } from '../contract/pictures.ts'
import { decodeRows, layoutOf } from '../packed/decode.ts'
import { decodePbLlm, salientMask } from '../packed/decode-pb-llm.ts'
import { splitsOf, splitsSalient, type Layout, type LayoutOf } from '../packed/layout.ts'
import { readOrder, readParts, type Parts, type RowRange } from '../packed/parts.ts'
import { bitAt, codeAt, rowBytes, setBits } from '../packed/planes.ts'
import type { TensorSource } from '../packed/source.ts'
import { hasOriginal, type OpenRun } from './open-run.ts'

/** [range.count * columns]; `salient` has only the row 0. */
export async function pictureRows(run: OpenRun, linear: string, kind: PictureKind, range: RowRange) {
  const layout = layoutOf(run.packed, linear)
  switch (kind) {
    case 'quantized':
      return decodeRows(run.packed, linear, range)
    case 'original':
      return originalRows(run, linear, layout, range)
    case 'error': {
      const [original, quantized] = await Promise.all([
        originalRows(run, linear, layout, range),
        decodeRows(run.packed, linear, range),
      ])
      for (let k = 0; k < quantized.length; k++) quantized[k]! -= original[k]!
      return quantized
    }
    case 'sign':
      if (layout.method === 'pb-llm') return signsBesideCodes(run.packed, linear, layout, range)
      return signOfValue(layout) ? signRows(run, linear, range) : storedRows(run.packed, linear, kind, range)
    case 'mask':
      return maskRows(run.packed, linear, range)
    case 'group':
      return groupRows(run.packed, linear, range)
    case 'second':
    case 'code':
      return storedRows(run.packed, linear, kind, range)
    case 'salient':
      return salientRow(run.packed, linear)
    case 'flipped':
    case 'change':
      throw new Error(`${kind} is a picture of two models`)
  }
}

async function originalRows(run: OpenRun, linear: string, layout: Layout, range: RowRange): Promise<Float32Array> {
  if (!hasOriginal(run)) throw new Error('a picture of an original that is not there')
  return run.original.rows(linear, layout, range)
}

/** Whether no plane holds signs: there are codes, or the planes of fdb, which are of 0 and 1. */
const signOfValue = (layout: Layout): boolean => 'bits' in layout || layout.method === 'fdb'

/** Where no signs are stored, the sign is that of the value; 0 has none. */
async function signRows(run: OpenRun, linear: string, range: RowRange): Promise<Float32Array> {
  const values = await decodeRows(run.packed, linear, range)
  return values.map(signOf)
}

export const signOf = (value: number) => (value > 0 ? 1 : value < 0 ? 0 : NaN)

/** The stored signs; those of salient weights are the signs of their values. */
async function signsBesideCodes(
  source: TensorSource,
  linear: string,
  layout: LayoutOf<'pb-llm'>,
  range: RowRange,
): Promise<Float32Array> {
  const parts = await readParts(source, linear, layout, range)
  const salient = salientMask(layout, parts)
  const values = new Float32Array(salient.length)
  decodePbLlm(layout, parts, values)
  const sign = parts.bytes('sign')
  for (let i = 0, k = 0; i < range.count; i++) {
    const row = i * rowBytes(layout.columns)
    for (let j = 0; j < layout.columns; j++, k++)
      values[k] = salient[k] === 1 ? signOf(values[k]!) : bitAt(sign, row, j)
  }
  return values
}

/** 1 = a salient weight. */
async function maskRows(source: TensorSource, linear: string, range: RowRange): Promise<Float32Array> {
  const layout = layoutOf(source, linear)
  if (layout.method !== 'pb-llm') throw new Error(`a ${layout.method} layout has no mask`)
  return Float32Array.from(salientMask(layout, await readParts(source, linear, layout, range)))
}

/** 1 = a column that has a second sign. */
export async function salientRow(source: TensorSource, linear: string): Promise<Float32Array> {
  const layout = layoutOf(source, linear)
  const parts = await readParts(source, linear, layout, { first: 0, count: 1 })
  const order = await readOrder(source, layout)
  const row = new Float32Array(layout.columns)
  for (const { stored } of columnsOf(layout, 'second', parts)) row[order?.[stored] ?? stored] = 1
  return row
}

/** 1 = the sparse group, 0 = the concentrated one, those between them in equal steps. */
async function groupRows(source: TensorSource, linear: string, range: RowRange): Promise<Float32Array> {
  const rows = await storedRows(source, linear, 'group', range)
  const splits = splitsOf(layoutOf(source, linear))
  if (splits === 1) return rows
  const low = await storedRows(source, linear, 'group2', range)
  return rows.map((bit, k) => (2 * bit + low[k]!) / splits)
}

export type Stored = 'sign' | 'second' | 'group' | 'group2' | 'code'

async function storedRows(source: TensorSource, linear: string, kind: Stored, range: RowRange): Promise<Float32Array> {
  const layout = layoutOf(source, linear)
  const parts = await readParts(source, linear, layout, range)
  const order = await readOrder(source, layout)
  const columns = columnsOf(layout, kind, parts)
  const inputs = Int32Array.from(columns, ({ stored }) => order?.[stored] ?? stored)
  const places = Int32Array.from(columns, ({ place }) => place)
  const { role, width } = roleOf(layout, kind)
  const plane = parts.bytes(role)
  const stride = rowBytes(width)
  const bits = kind === 'code' && 'bits' in layout ? layout.bits : 1
  const rows = new Float32Array(range.count * layout.columns).fill(NaN)
  for (let i = 0; i < range.count; i++) {
    for (let k = 0; k < places.length; k++) {
      const at = places[k]!
      const value = bits === 1 ? bitAt(plane, i * stride, at) : codeAt(plane, i * stride, at, bits)
      rows[i * layout.columns + inputs[k]!] = value
    }
  }
  return rows
}

/** Which tensor has the bits, and how many bits a row of it has. */
export function roleOf(layout: Layout, kind: Stored): { role: string; width: number } {
  const n = layout.columns
  switch (kind) {
    case 'sign':
      return { role: 'sign', width: n }
    case 'group':
      return { role: 'plane2', width: n }
    case 'group2':
      return { role: 'group2', width: n }
    case 'code':
      return { role: 'code', width: 'bits' in layout ? n * layout.bits : n }
    case 'second':
      if (layout.method === 'signum-rc') return { role: 'sign2', width: layout.second_columns }
      if ('salient_columns' in layout && splitsSalient(layout)) return { role: 'plane3', width: layout.salient_columns }
      return { role: 'plane2', width: n }
  }
}

/** The stored columns that have such a bit, and where in its row each one's bit is. */
export function columnsOf(layout: Layout, kind: Stored, parts: Parts): { stored: number; place: number }[] {
  const all = Array.from({ length: layout.columns }, (_, stored) => ({ stored, place: stored }))
  if (kind === 'sign' || kind === 'code') return all
  if (layout.method === 'signum-rc') return all.slice(0, layout.second_columns)
  const salient = setBits(parts.bytes('salient'), layout.columns)
  const ranked = splitsSalient(layout)
  if (kind === 'second') return salient.map((stored, rank) => ({ stored, place: ranked ? rank : stored }))
  if (ranked) return all
  const others = new Set(salient)
  return all.filter(({ stored }) => !others.has(stored))
}
