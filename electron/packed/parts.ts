// The tensors of a few rows of one linear, checked against its layout and cut out of the file.
import { PackedError } from './errors.ts'
import { dtypeBytes, type Dtype } from './header.ts'
import { orderOf, type Layout, type LayoutOf } from './layout.ts'
import { rowBytes } from './planes.ts'
import { orderDtype, rolesOf, type RoleTensor } from './roles.ts'
import { scalarsToF32, unsigned } from './scalars.ts'
import type { TensorSource } from './source.ts'

export interface RowRange {
  readonly first: number
  readonly count: number
}

/**
 * A tensor with a row axis holds only the rows of the range: [slots, m, nb] has become [slots, count, nb]. So does a stream,
 * whose first bit is the first one of the range.
 */
export interface Parts {
  readonly rows: number
  /** Planes, streams, codes and code zeros. */
  bytes(role: string): Uint8Array
  counts(role: string): Uint32Array
  scalars(role: string): Float32Array
}

export async function readParts(source: TensorSource, linear: string, layout: Layout, range: RowRange): Promise<Parts> {
  const found = new Map<string, Uint8Array>()
  const roles = rolesOf(layout)
  for (const { role, dtype, shape } of roles) requireTensor(source, `${linear}.${role}`, dtype, shape)
  const salient = 'salient_weights' in layout ? await salientOfRange(source, linear, layout, range) : null
  const reads = roles.map(async (role) => {
    const name = `${linear}.${role.role}`
    const part = role.stream && salient ? readStream(source, name, role.stream, range, salient) : null
    found.set(role.role, await (part ?? readRows(source, name, role, range)))
  })
  await Promise.all(reads)
  const bytes = (role: string) => {
    const part = found.get(role)
    if (!part) throw new Error(`a ${layout.method} layout has no role ${role}`)
    return part
  }
  return {
    rows: range.count,
    bytes,
    counts: (role) => unsigned(orderDtype(layout.columns), bytes(role)),
    scalars: (role) => scalarsToF32(layout.scale_type, bytes(role)),
  }
}

/** One of these alone: the bytes of a role that is no stream. */
export function readPart(
  source: TensorSource,
  linear: string,
  layout: Layout,
  role: string,
  range: RowRange,
): Promise<Uint8Array> {
  const found = rolesOf(layout).find((one) => one.role === role && one.stream === undefined)
  if (!found) throw new Error(`a ${layout.method} layout has no role ${role} of rows`)
  const name = `${linear}.${role}`
  requireTensor(source, name, found.dtype, found.shape)
  return readRows(source, name, found, range)
}

/** Throws unless the tensor is there with this dtype and shape. */
export function requireTensor(source: TensorSource, name: string, dtype: Dtype, shape: readonly number[]): void {
  const tensor = source.tensors.get(name)
  const wanted = `${dtype} [${shape.join(', ')}]`
  if (!tensor) throw new PackedError('packed_broken', `${source.path} has no tensor ${name}, which must be ${wanted}.`)
  const given = `${tensor.dtype} [${tensor.shape.join(', ')}]`
  if (given === wanted) return
  throw new PackedError('packed_broken', `Tensor ${name} of ${source.path} is ${given} and must be ${wanted}.`)
}

async function readRows(source: TensorSource, name: string, role: RoleTensor, range: RowRange): Promise<Uint8Array> {
  const { shape, rowAxis } = role
  if (rowAxis === null) return source.read(name)
  const slots = product(shape.slice(0, rowAxis))
  const rows = shape[rowAxis]!
  if (range.count === rows) return source.read(name)
  const row = product(shape.slice(rowAxis + 1)) * dtypeBytes[role.dtype]
  const part = new Uint8Array(slots * range.count * row)
  for (let slot = 0; slot < slots; slot++) {
    const begin = (slot * rows + range.first) * row
    part.set(await source.read(name, begin, begin + range.count * row), slot * range.count * row)
  }
  return part
}

interface Salient {
  /** In the rows before the range, and in it. */
  readonly before: number
  readonly inside: number
}

async function salientOfRange(
  source: TensorSource,
  linear: string,
  layout: LayoutOf<'pb-llm'>,
  { first, count }: RowRange,
): Promise<Salient> {
  const counts = unsigned(orderDtype(layout.columns), await source.read(`${linear}.salient_count`))
  const sum = (rows: Uint32Array) => rows.reduce((total, own) => total + own, 0)
  if (sum(counts) !== layout.salient_weights) {
    const sentence = `The layout of ${linear} says ${layout.salient_weights} salient weights and its rows have ${sum(counts)}.`
    throw new PackedError('packed_broken', sentence)
  }
  return { before: sum(counts.subarray(0, first)), inside: sum(counts.subarray(first, first + count)) }
}

async function readStream(
  source: TensorSource,
  name: string,
  { perRow, perSalient }: NonNullable<RoleTensor['stream']>,
  range: RowRange,
  { before, inside }: Salient,
): Promise<Uint8Array> {
  const begin = range.first * perRow + before * perSalient
  const length = range.count * perRow + inside * perSalient
  const bytes = await source.read(name, begin >> 3, rowBytes(begin + length))
  const shift = begin & 7
  return Uint8Array.from({ length: rowBytes(length) }, (_, k) => (bytes[k]! | ((bytes[k + 1] ?? 0) << 8)) >> shift)
}

const product = (numbers: readonly number[]) => numbers.reduce((total, number) => total * number, 1)

/** Input column of every stored column; undefined where the two are the same. */
export async function readOrder(source: TensorSource, layout: Layout): Promise<Uint32Array | undefined> {
  const name = orderOf(layout)
  if (name === undefined) return undefined
  const n = layout.columns
  const dtype = orderDtype(n)
  requireTensor(source, name, dtype, [n])
  const order = unsigned(dtype, await source.read(name))
  const seen = new Uint8Array(n)
  for (let j = 0; j < n; j++) {
    const column = order[j]!
    if (column >= n || seen[column] === 1) {
      throw new PackedError(
        'packed_broken',
        `Tensor ${name} of ${source.path} does not name each of ${n} columns once.`,
      )
    }
    seen[column] = 1
  }
  return order
}
