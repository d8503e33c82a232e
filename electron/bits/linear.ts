// The bytes of one quantized linear [rows m, columns n] as docs/FORMAT.md stores it, tensor by tensor.
import type { MethodId, Parameters } from '../contract/methods.ts'

export type Shape = { rows: number; columns: number }

/** Bytes by what they are for. `order` is not in it: linears that share an input share one (orderBytes). */
export type LinearBytes = {
  codes: number
  signs: number
  /** Second and third signs, in fdb the second plane, or in billm and the ARB methods the plane that holds them together with the group bits. */
  second: number
  bitmaps: number
  scales: number
}

export type LinearCost = {
  bytes: LinearBytes
  /** Bits per weight as the paper counts. */
  nominal: number
}

const scaleBytes: Record<string, number> = { f16: 2, bf16: 2, f32: 4 }
const share = (count: number, of: number) => Math.ceil(count / of)
/** Bytes of a bit plane [height, width]: every row is padded to a byte. */
const plane = (height: number, width: number) => height * share(width, 8)

export const sum = (bytes: LinearBytes): number =>
  bytes.codes + bytes.signs + bytes.second + bytes.bitmaps + bytes.scales

/**
 * The cost of one linear. `salient`: how many columns the search marked, which the weights decide; it changes the bytes
 * where column_group_bitmap is set and the nominal bits of billm and the ARB methods (salientColumns gives what to expect).
 */
export function linearCost(method: MethodId, parameters: Parameters, shape: Shape, salient: number): LinearCost {
  const { rows: m, columns: n } = shape
  const scalar = scaleBytes[text(parameters, 'scale_type')]!
  const none: LinearBytes = { codes: 0, signs: 0, second: 0, bitmaps: 0, scales: 0 }
  switch (method) {
    case 'rtn':
    case 'gptq': {
      const bits = number(parameters, 'bits')
      const groups = m * share(n, groupOf(parameters, n))
      const zero = parameters['symmetric'] === true ? 0 : 1
      return { nominal: bits, bytes: { ...none, codes: m * share(n * bits, 8), scales: groups * (scalar + zero) } }
    }
    case 'billm':
    case 'arb':
    case 'arb-x':
    case 'arb-rc': {
      const perBlock = m * share(n, number(parameters, 'blocksize'))
      const split = parameters['column_group_bitmap'] === true
      const { groups, orders } = groupsOf(method, parameters)
      const scalars =
        method === 'arb-rc'
          ? (orders + groups) * perBlock + Math.max(orders, groups) * n
          : (1.5 * orders + 2 * groups) * perBlock
      const bytes = {
        ...none,
        signs: plane(m, n),
        second: plane(m, n) + (split ? plane(m, salient) : 0),
        bitmaps: plane(1, n) + (groups > 2 ? plane(m, n) : 0),
        scales: scalars * scalar,
      }
      return { nominal: 1 + salient / n, bytes }
    }
    case 'pb-llm': {
      const wide = number(parameters, 'salient_bits')
      const k = salientWeights(parameters, shape)
      const groups = m * share(n, groupOf(parameters, n))
      const bytes = {
        ...none,
        codes: share(k * (wide - 1), 8),
        signs: plane(m, n),
        bitmaps: m * indexBytes(n) + smallestMask(shape, k).bytes,
        scales: 2 * groups * scalar + m * (scalar + 1),
      }
      const kept = k / (m * n)
      return { nominal: 1 - kept + kept * wide, bytes }
    }
    case 'fdb': {
      const groups = m * share(n, number(parameters, 'group'))
      const bytes = { ...none, signs: plane(m, n), second: plane(m, n), scales: 2 * groups * scalar }
      return { nominal: 2, bytes }
    }
    case 'signum-rc': {
      const width = number(parameters, 'blocksize')
      const k = secondColumns(number(parameters, 'second_plane'), n)
      const third = secondColumns(number(parameters, 'third_plane'), n)
      const rowScales = m * (share(n, width) + share(k, width) + share(third, width))
      const columnScales = parameters['column_scales'] === true ? n + k + third : 0
      const second = plane(m, k) + plane(m, third)
      return {
        nominal: 1 + (k + third) / n,
        bytes: { ...none, signs: plane(m, n), second, scales: (rowScales + columnScales) * scalar },
      }
    }
  }
}

/** Groups of the columns that are not salient, and orders of the salient ones: two in each of their groups. */
function groupsOf(method: MethodId, parameters: Parameters): { groups: number; orders: number } {
  const groups = method === 'billm' ? 2 : number(parameters, 'splits') + 1
  return { groups, orders: parameters['column_group_bitmap'] === true ? 2 * groups : 2 }
}

/** Columns with a second or third sign: p * n to the nearest whole number, halves upwards. */
export const secondColumns = (p: number, columns: number): number => Math.floor(p * columns + 0.5)

/** Salient weights of pb-llm, as the published program counts them: of every group of columns, at least one. */
export function salientWeights(parameters: Parameters, { rows: m, columns: n }: Shape): number {
  const kept = 1 - number(parameters, 'salient_share')
  const group = Math.min(groupOf(parameters, n), n)
  const ofGroup = (weights: number) => Math.max(1, weights - Math.min(Math.floor(weights * kept) + 1, weights))
  return Math.floor(n / group) * ofGroup(m * group) + (n % group > 0 ? ofGroup(m * (n % group)) : 0)
}

/** pb-llm's mask: a plane (0 low bits), or the Elias-Fano code that takes the fewest bytes. */
export function smallestMask({ rows: m, columns: n }: Shape, salient: number): { lowBits: number; bytes: number } {
  let best = { lowBits: 0, bytes: plane(m, n) }
  for (let lowBits = 1; lowBits <= 8; lowBits++) {
    const bytes = share(salient * lowBits, 8) + share(salient + m * share(n, 2 ** lowBits), 8)
    if (bytes < best.bytes) best = { lowBits, bytes }
  }
  return best
}

/** Of a number below `columns`, and of a count of columns. */
const indexBytes = (columns: number) => (columns < 65_536 ? 2 : 4)
const groupOf = (parameters: Parameters, columns: number) => {
  const group = number(parameters, 'group')
  return group === -1 ? columns : group
}

/** Bytes of the order tensor of one input, 0 where the method stores none. */
export function orderBytes(method: MethodId, parameters: Parameters, columns: number): number {
  const stored = (method === 'gptq' || method === 'signum-rc') && parameters['order'] === 'hessian'
  return stored ? columns * indexBytes(columns) : 0
}

/** Salient columns of a linear that the published searches typically mark: the papers' average share of 9 %. */
const typicalShare = 0.09

const searching: readonly MethodId[] = ['billm', 'arb', 'arb-x', 'arb-rc']

/** Salient columns to expect, and the most that the search can mark; null for methods without them. */
export function salientColumns(
  method: MethodId,
  parameters: Parameters,
  columns: number,
): { expected: number; most: number } | null {
  if (!searching.includes(method)) return null
  const width = number(parameters, 'blocksize')
  let most = 0
  for (let start = 0; start < columns; start += width) {
    // The search tries 1 to up - 1 columns; a block of one column has that one.
    const up = Math.min(number(parameters, 'max_salient'), width, columns - start)
    most += Math.max(1, up - 1)
  }
  return { expected: Math.min(most, Math.round(typicalShare * columns)), most }
}

const number = (parameters: Parameters, key: string): number => parameters[key] as number
const text = (parameters: Parameters, key: string): string => parameters[key] as string
