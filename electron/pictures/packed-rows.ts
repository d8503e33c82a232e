// Rows of a picture of small numbers as they travel (contract/packed-tile.ts): the stored bits themselves, in the order of the
// input columns. Where no plane holds the picture, its numbers are packed anew.
import type { PictureKind } from '../contract/pictures.ts'
import { packingOf, rowWords, type Packing } from '../contract/packed-tile.ts'
import { layoutOf } from '../packed/decode.ts'
import { splitsOf, type Layout } from '../packed/layout.ts'
import { readOrder, readPart, readParts, type RowRange } from '../packed/parts.ts'
import { bitsOfBytes, newBits, placeColumns, type BitRows } from './bit-matrix.ts'
import { describeLinear } from './linears.ts'
import type { OpenRun } from './open-run.ts'
import { columnsOf, roleOf, type Stored } from './rows.ts'
import { rowsOf, type PictureOf } from './strips.ts'

export type PackedRows = {
  rows: number
  columns: number
  packing: Packing
  /** A row has columns * width bits. */
  bits: BitRows
  /** Which weights have a number: no row where all have, one row where all rows are alike, else every row. */
  present: BitRows
}
/** What reads the rows of a picture of small numbers. */
export interface PackedReader {
  readonly packing: Packing
  /** The bits are those of the file: nothing is decoded. */
  readonly stored: boolean
  /** Whether a weight has a number depends on more than its column: the rows say it. */
  readonly byWeight: boolean
  /** Which columns have one; no row where all have, or where the rows say it. */
  readonly present: BitRows
  read(range: RowRange): Promise<PackedRows>
}

const readers = new WeakMap<OpenRun, Map<string, Promise<PackedReader | null>>>()

/** Null where it is no picture of small numbers. Made once while the run is open. */
export function packedRowsOf(picture: PictureOf): Promise<PackedReader | null> {
  const { run, linear, kind, other } = picture
  if (other) return openPackedRows(picture)
  const known = readers.get(run) ?? new Map<string, Promise<PackedReader | null>>()
  readers.set(run, known)
  const key = `${linear}/${kind}`
  const reader = known.get(key) ?? openPackedRows(picture)
  known.set(key, reader)
  reader.catch(() => known.delete(key))
  return reader
}

async function openPackedRows(picture: PictureOf): Promise<PackedReader | null> {
  const { run, linear, kind } = picture
  const layout = layoutOf(run.packed, linear)
  const packing = packingOf(describeLinear('', layout, false), kind)
  if (packing === null) return null
  const stored = storedKind(layout, kind)
  if (stored !== null) return openStored(run, linear, stored, packing)
  const { columns } = layout
  return {
    packing,
    stored: false,
    byWeight: true,
    present: newBits(0, columns),
    read: async (range) => packAnew(await rowsOf(picture, range), range.count, columns, packing),
  }
}

/** Whether a plane holds just this picture. */
function storedKind(layout: Layout, kind: PictureKind): Stored | null {
  const signsApart = !('bits' in layout) && layout.method !== 'fdb' && layout.method !== 'pb-llm'
  if (kind === 'sign') return signsApart ? kind : null
  if (kind === 'group') return splitsOf(layout) === 1 ? kind : null
  return kind === 'second' || kind === 'code' ? kind : null
}

async function openStored(run: OpenRun, linear: string, kind: Stored, packing: Packing): Promise<PackedReader> {
  const layout = layoutOf(run.packed, linear)
  const { columns } = layout
  const { width } = packing
  const [order, parts] = await Promise.all([
    readOrder(run.packed, layout),
    readParts(run.packed, linear, layout, { first: 0, count: 1 }),
  ])
  const { role, width: roleBits } = roleOf(layout, kind)
  const storedWidth = kind === 'code' && 'bits' in layout ? layout.bits : 1
  const found = columnsOf(layout, kind, parts)
  const present = newBits(found.length === columns ? 0 : 1, columns)
  // Bits that are nobody's go behind the last word.
  const places = new Int32Array(roleBits).fill(32 * rowWords(columns * width, 1))
  let moved = storedWidth !== width
  for (const { stored, place } of found) {
    const input = order?.[stored] ?? stored
    if (input !== place) moved = true
    if (present.rows > 0) present.words[input >> 5]! |= 1 << (input & 31)
    for (let bit = 0; bit < storedWidth; bit++) places[place * storedWidth + bit] = input * width + bit
  }
  return {
    packing,
    stored: true,
    byWeight: false,
    present,
    async read(range) {
      const bytes = await readPart(run.packed, linear, layout, role, range)
      const inFile = bitsOfBytes(bytes, range.count, roleBits)
      const bits = moved ? placeColumns(inFile, places, columns * width) : only(inFile, present)
      return { rows: range.count, columns, packing, bits, present }
    },
  }
}

/** Without the bits of columns that have none. */
function only(bits: BitRows, present: BitRows): BitRows {
  const { words } = bits
  const stride = rowWords(bits.columns, 1)
  if (present.rows > 0) for (let k = 0; k < words.length; k++) words[k]! &= present.words[k % stride]!
  return bits
}

function packAnew(values: Float32Array, rows: number, columns: number, packing: Packing): PackedRows {
  const { width, steps } = packing
  const bits = newBits(rows, columns * width)
  const present = newBits(rows, columns)
  const [stride, flags] = [rowWords(columns, width), rowWords(columns, 1)]
  let all = true
  for (let i = 0, k = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++, k++) {
      const value = values[k]!
      if (value !== value) {
        all = false
        continue
      }
      const bit = j * width
      bits.words[i * stride + (bit >> 5)]! |= Math.round(value * steps) << (bit & 31)
      present.words[i * flags + (j >> 5)]! |= 1 << (j & 31)
    }
  }
  return { rows, columns, packing, bits, present: all ? newBits(0, columns) : present }
}
