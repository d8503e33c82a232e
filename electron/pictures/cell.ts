// One weight: what it was, what it is, which bits say so, and what else it could have been.
import type { Cell } from '../contract/pictures.ts'
import { decodeRows, decodeStored, layoutOf } from '../packed/decode.ts'
import { zerosOf } from '../packed/decode-codes.ts'
import { salientCodes, salientMask } from '../packed/decode-pb-llm.ts'
import { splitsOf, type Layout, type LayoutOf } from '../packed/layout.ts'
import { readOrder, readParts, type Parts } from '../packed/parts.ts'
import { hasOriginal, type OpenRun } from './open-run.ts'
import { pictureRows, roleOf } from './rows.ts'
import { picturesOf } from './linears.ts'

export async function readCell(run: OpenRun, linear: string, row: number, column: number): Promise<Cell> {
  const layout = layoutOf(run.packed, linear)
  const range = { first: row, count: 1 }
  const parts = await readParts(run.packed, linear, layout, range)
  const order = await readOrder(run.packed, layout)
  const stored = order ? order.indexOf(column) : column
  const quantized = (await decodeRows(run.packed, linear, range))[column]!
  const original = hasOriginal(run) ? (await run.original.rows(linear, layout, range))[column]! : null
  const pictures = picturesOf(layout, false)
  const of = async (kind: 'sign' | 'second' | 'group' | 'code' | 'salient' | 'mask') => {
    if (!pictures.includes(kind)) return null
    const value = (await pictureRows(run, linear, kind, range))[column]!
    return Number.isNaN(value) ? null : value
  }
  const group = await of('group')
  const splits = splitsOf(layout)
  const salient = (await of('salient')) ?? (await of('mask'))
  return {
    row,
    column,
    original: finite(original),
    quantized: finite(quantized),
    error: original === null ? null : finite(Math.fround(quantized - original)),
    sign: signed(await of('sign')),
    second: signed(await of('second')),
    salient: salient === null ? null : salient === 1,
    group: group === null ? null : { place: Math.round((1 - group) * splits), of: splits + 1 },
    code: layout.method === 'pb-llm' ? codeBesideSigns(layout, parts, column) : await of('code'),
    levels: levelsOf(layout, parts, stored),
  }
}

const finite = (value: number | null) => (value !== null && Number.isFinite(value) ? value : null)
const signed = (bit: number | null) => (bit === null ? null : bit === 1 ? 1 : -1)

/** Decodes the row with every combination of its planes set to all zeros and all ones, or with every code. */
function levelsOf(layout: Layout, parts: Parts, stored: number): number[] {
  const values = new Set<number>()
  const weights = new Float32Array(layout.columns)
  const add = (bytes: ReadonlyMap<string, Uint8Array>) => {
    decodeStored(layout, { ...parts, bytes: (role) => bytes.get(role) ?? parts.bytes(role) }, weights)
    // -0 and 0 are one level.
    const value = weights[stored]! + 0
    if (Number.isFinite(value)) values.add(value)
  }
  if ('bits' in layout) {
    const group = Math.floor(stored / layout.group)
    const scale = parts.scalars('code_scale')[group]!
    const zero = zerosOf(layout, parts)(group)
    for (let code = 0; code < 2 ** layout.bits; code++) values.add(Math.fround(scale * (code - zero)) + 0)
  } else if (layout.method === 'pb-llm' && salientMask(layout, parts)[stored] === 1) {
    const step = parts.scalars('code_scale')[0]!
    const zero = parts.bytes('code_zero')[0]!
    for (let code = 0; code < 2 ** layout.salient_bits; code++) values.add(Math.fround(step * (code - zero)) + 0)
  } else {
    const roles = layout.method === 'fdb' ? ['sign', 'plane2'] : rolesOfPictures(layout)
    for (let choice = 0; choice < 2 ** roles.length; choice++) {
      // Three groups leave one pair of bits without a meaning.
      const both = ['plane2', 'group2'].every((role) => (choice >> roles.indexOf(role)) & 1)
      if (both && splitsOf(layout) === 2) continue
      const fill = (role: string, k: number) =>
        new Uint8Array(parts.bytes(role).length).fill((choice >> k) & 1 ? 0xff : 0)
      add(new Map(roles.map((role, k) => [role, fill(role, k)])))
    }
  }
  return [...values].sort((a, b) => a - b)
}

function codeBesideSigns(layout: LayoutOf<'pb-llm'>, parts: Parts, column: number): number | null {
  const salient = salientMask(layout, parts)
  return salient[column] === 1 ? salientCodes(layout, parts, salient)[column]! : null
}

const rolesOfPictures = (layout: Layout): string[] => {
  const pictures = picturesOf(layout, false)
  const planes = (['sign', 'second', 'group'] as const).filter((kind) => pictures.includes(kind))
  const more = splitsOf(layout) > 1 ? ['group2'] : []
  return [...new Set([...planes.map((kind) => roleOf(layout, kind).role), ...more])]
}
