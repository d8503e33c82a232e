// The tensors of a few rows of one linear, checked against its layout and cut out of the file.
import { PackedError } from './errors.ts'
import { dtypeBytes, type Dtype } from './header.ts'
import { orderOf, type Layout } from './layout.ts'
import { orderDtype, rolesOf, type RoleTensor } from './roles.ts'
import { scalarsToF32 } from './scalars.ts'
import type { TensorSource } from './source.ts'

export interface RowRange {
  readonly first: number
  readonly count: number
}

/** A tensor with a row axis holds only the rows of the range: [slots, m, nb] has become [slots, count, nb]. */
export interface Parts {
  readonly rows: number
  /** Planes, codes and code zeros. */
  bytes(role: string): Uint8Array
  scalars(role: string): Float32Array
}

export async function readParts(source: TensorSource, linear: string, layout: Layout, range: RowRange): Promise<Parts> {
  const found = new Map<string, Uint8Array>()
  for (const role of rolesOf(layout)) {
    requireTensor(source, `${linear}.${role.role}`, role.dtype, role.shape)
    found.set(role.role, await readRows(source, `${linear}.${role.role}`, role, range))
  }
  const bytes = (role: string) => {
    const part = found.get(role)
    if (!part) throw new Error(`a ${layout.method} layout has no role ${role}`)
    return part
  }
  return { rows: range.count, bytes, scalars: (role) => scalarsToF32(layout.scale_type, bytes(role)) }
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

const product = (numbers: readonly number[]) => numbers.reduce((total, number) => total * number, 1)

/** Input column of every stored column; undefined where the two are the same. */
export async function readOrder(source: TensorSource, layout: Layout): Promise<Uint16Array | Uint32Array | undefined> {
  const name = orderOf(layout)
  if (name === undefined) return undefined
  const n = layout.columns
  const dtype = orderDtype(n)
  requireTensor(source, name, dtype, [n])
  const bytes = await source.read(name)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const order = dtype === 'U16' ? new Uint16Array(n) : new Uint32Array(n)
  const seen = new Uint8Array(n)
  for (let j = 0; j < n; j++) {
    const column = dtype === 'U16' ? view.getUint16(2 * j, true) : view.getUint32(4 * j, true)
    if (column >= n || seen[column] === 1) {
      throw new PackedError(
        'packed_broken',
        `Tensor ${name} of ${source.path} does not name each of ${n} columns once.`,
      )
    }
    seen[column] = 1
    order[j] = column
  }
  return order
}
