// Linears whose bits are known in the order of the input columns; they are stored in whatever order the layout has.
import { uniform } from '../../packed/testing/random.ts'
import { codes, eliasFano, plane, scalars, u16 } from '../../packed/testing/pack.ts'
import { tensor, type TestTensors } from '../../packed/testing/write.ts'
import { splitsOf, splitsSalient, type Layout } from '../../packed/layout.ts'
import { rolesOf } from '../../packed/roles.ts'

/** NaN: no such bit here. */
export type Truth = {
  sign?: number[][]
  second?: number[][]
  group?: number[][]
  code?: number[][]
  salient?: number[]
  mask?: number[][]
}
export type RandomLinear = { layout: Layout; tensors: TestTensors; truth: Truth }

const bitRows = (m: number, n: number, next: () => number, top = 2) =>
  Array.from({ length: m }, () => Array.from({ length: n }, () => Math.floor(top * next())))
const masked = (rows: number[][], keep: (column: number) => boolean) =>
  rows.map((row) => row.map((value, column) => (keep(column) ? value : NaN)))
const stored = (rows: number[][], columns: number[]) => rows.map((row) => columns.map((column) => row[column]!))
const packed = (rows: number[][]) => plane(...rows.map((row) => row.map((bit) => (bit === 1 ? '1' : '0')).join('')))

export function randomLinear(name: string, layout: Layout, seed: number): RandomLinear {
  const next = uniform(seed)
  const { rows: m, columns: n } = layout
  const order = shuffled(n, 'order' in layout && layout.order !== undefined ? next : null)
  const truth: Truth = {}
  const bytes: Record<string, Uint8Array> = {}
  if ('bits' in layout) {
    truth.code = bitRows(m, n, next, 2 ** layout.bits)
    bytes['code'] = codes(layout.bits, ...stored(truth.code, order))
  } else if (layout.method === 'fdb') {
    for (const role of ['sign', 'plane2']) bytes[role] = packed(bitRows(m, n, next))
  } else {
    truth.sign = bitRows(m, n, next)
    bytes['sign'] = packed(stored(truth.sign, order))
  }
  if (layout.method === 'signum-rc' && layout.second_columns > 0) {
    const first = order.slice(0, layout.second_columns)
    truth.second = masked(bitRows(m, n, next), (column) => first.includes(column))
    bytes['sign2'] = packed(stored(truth.second, first))
    truth.salient = Array.from({ length: n }, (_, column) => Number(first.includes(column)))
  }
  if (layout.method === 'pb-llm') {
    const places = shuffled(m * n, next).slice(0, layout.salient_weights)
    const chosen = new Set(places)
    const mask = Array.from({ length: m }, (_, i) => Array.from({ length: n }, (_, j) => Number(chosen.has(i * n + j))))
    const columns = mask.map((row) => row.flatMap((bit, j) => (bit === 1 ? [j] : [])))
    const coded = eliasFano(columns, n, Math.max(1, layout.mask_low_bits))
    const low = bitRows(1, layout.salient_weights, next, 2 ** (layout.salient_bits - 1))
    truth.mask = mask
    bytes['mask'] = packed(mask)
    bytes['mask_low'] = coded.low
    bytes['mask_high'] = coded.high
    bytes['salient_count'] = u16(...columns.map((row) => row.length))
    bytes['code'] = codes(layout.salient_bits - 1, ...low)
    const rest = low[0]!.values()
    truth.code = mask.map((row, i) =>
      row.map((bit, j) =>
        bit === 1 ? rest.next().value! + truth.sign![i]![j]! * 2 ** (layout.salient_bits - 1) : NaN,
      ),
    )
  }
  if ('salient_columns' in layout) {
    const salient = shuffled(n, next)
      .slice(0, layout.salient_columns)
      .toSorted((a, b) => a - b)
    const isSalient = (column: number) => salient.includes(column)
    const grouped = splitsSalient(layout)
    const second = bitRows(m, n, next)
    const splits = splitsOf(layout)
    const size = bitRows(m, n, next, splits + 1)
    const group = splits === 1 ? size : size.map((row) => row.map((value) => value >> 1))
    truth.second = masked(second, isSalient)
    truth.group = masked(
      size.map((row) => row.map((value) => value / splits)),
      (column) => grouped || !isSalient(column),
    )
    truth.salient = Array.from({ length: n }, (_, column) => Number(isSalient(column)))
    const both = group.map((row, i) => row.map((bit, j) => (isSalient(j) ? second[i]![j]! : bit)))
    bytes['plane2'] = packed(grouped ? group : both)
    if (grouped) bytes['plane3'] = packed(stored(second, salient))
    if (splits > 1)
      bytes['group2'] = packed(size.map((row) => row.map((value, j) => (grouped || !isSalient(j) ? value & 1 : 0))))
    bytes['salient'] = packed([truth.salient])
  }
  const tensors: TestTensors = {}
  for (const { role, dtype, shape } of rolesOf(layout)) {
    const size = shape.reduce((product, length) => product * length, 1)
    // Powers of two, different ones, and zero points within reach of the codes.
    const scale = () => scalars(layout.scale_type, ...Array.from({ length: size }, () => 2 ** -Math.floor(5 * next())))
    const zero = () => Uint8Array.from({ length: size }, () => Math.floor(4 * next()))
    const data = bytes[role] ?? (role === 'code_zero' ? zero() : scale())
    tensors[`${name}.${role}`] = tensor(dtype, shape, data)
  }
  if ('order' in layout && layout.order !== undefined) tensors[layout.order] = tensor('U16', [n], u16(...order))
  return { layout, tensors, truth }
}

function shuffled(n: number, next: (() => number) | null): number[] {
  const numbers = Array.from({ length: n }, (_, k) => k)
  if (next === null) return numbers
  for (let k = n - 1; k > 0; k--) {
    const other = Math.floor((k + 1) * next())
    ;[numbers[k], numbers[other]] = [numbers[other]!, numbers[k]!]
  }
  return numbers
}
