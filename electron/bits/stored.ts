// What stands in the file for one quantized linear [rows m, columns n], as docs/FORMAT.md says: its tensors and its layout.
import type { MethodId, Parameters } from '../contract/methods.ts'
import {
  groupOf,
  groupsOf,
  indexBytes,
  number,
  salientWeights,
  secondColumns,
  share,
  smallestMask,
  type LinearBytes,
  type Shape,
} from './counts.ts'

export type StoredTensor = { role: string; dtype: string; shape: number[]; purpose: keyof LinearBytes }
export type LayoutText = Record<string, string | number | boolean>
export type StoredLinear = {
  tensors: StoredTensor[]
  /** Without `order`, which names a tensor. */
  layout: LayoutText
  /** Bits per weight as the paper counts. */
  nominal: number
}

export const dtypeBytes: Record<string, number> = {
  F64: 8,
  I64: 8,
  F32: 4,
  I32: 4,
  U32: 4,
  F16: 2,
  BF16: 2,
  U16: 2,
  I16: 2,
  U8: 1,
  I8: 1,
  BOOL: 1,
}
export const bytesOf = ({ dtype, shape }: { dtype: string; shape: readonly number[] }): number =>
  shape.reduce((product, side) => product * side, dtypeBytes[dtype] ?? 4)

/** `salient`: how many columns the search marked, in billm and the ARB methods. */
export function storedLinear(method: MethodId, parameters: Parameters, shape: Shape, salient: number): StoredLinear {
  const { rows: m, columns: n } = shape
  const scale_type = String(parameters['scale_type'])
  const common = { method, rows: m, columns: n, scale_type }
  const scalar = (role: string, sides: number[]): StoredTensor => ({
    role,
    dtype: scale_type.toUpperCase(),
    shape: sides,
    purpose: 'scales',
  })
  const bytes = (role: string, purpose: keyof LinearBytes, sides: number[]): StoredTensor => ({
    role,
    dtype: 'U8',
    shape: sides,
    purpose,
  })
  const plane = (role: string, purpose: keyof LinearBytes, width: number) => bytes(role, purpose, [m, share(width, 8)])
  switch (method) {
    case 'rtn':
    case 'gptq': {
      const bits = number(parameters, 'bits')
      const group = Math.min(groupOf(parameters, n), n)
      const groups = share(n, group)
      const symmetric = parameters['symmetric'] === true
      const tensors = [bytes('code', 'codes', [m, share(n * bits, 8)]), scalar('code_scale', [m, groups])]
      if (!symmetric) tensors.push(bytes('code_zero', 'scales', [m, groups]))
      return { tensors, layout: { ...common, bits, group, ...(symmetric ? { symmetric } : {}) }, nominal: bits }
    }
    case 'billm':
    case 'arb':
    case 'arb-x':
    case 'arb-rc': {
      const blocksize = number(parameters, 'blocksize')
      const blocks = share(n, blocksize)
      const split = parameters['column_group_bitmap'] === true
      const { groups, orders } = groupsOf(method, parameters)
      const tensors = [
        plane('sign', 'signs', n),
        plane('plane2', 'second', n),
        bytes('salient', 'bitmaps', [share(n, 8)]),
        ...(groups > 2 ? [plane('group2', 'bitmaps', n)] : []),
        ...(split ? [plane('plane3', 'second', salient)] : []),
        ...(method === 'arb-rc'
          ? [scalar('row_scale', [orders + groups, m, blocks]), scalar('column_scale', [Math.max(orders, groups), n])]
          : [scalar('scale', [orders + groups, m, blocks]), scalar('mean', [orders / 2 + groups, m, blocks])]),
      ]
      const ofArb =
        method === 'billm' ? {} : { column_group_bitmap: split, ...(groups > 2 ? { splits: groups - 1 } : {}) }
      const layout = { ...common, ...ofArb, blocksize, salient_columns: salient }
      return { tensors, layout, nominal: 1 + salient / n }
    }
    case 'pb-llm': {
      const salient_bits = number(parameters, 'salient_bits')
      const k = salientWeights(parameters, shape)
      const group = Math.min(groupOf(parameters, n), n)
      const groups = share(n, group)
      const mask = smallestMask(shape, k)
      const tensors = [
        { role: 'salient_count', dtype: indexBytes(n) === 2 ? 'U16' : 'U32', shape: [m], purpose: 'bitmaps' as const },
        ...(mask.lowBits === 0
          ? [plane('mask', 'bitmaps', n)]
          : [bytes('mask_low', 'bitmaps', [mask.low]), bytes('mask_high', 'bitmaps', [mask.high])]),
        plane('sign', 'signs', n),
        bytes('code', 'codes', [share(k * (salient_bits - 1), 8)]),
        scalar('mean', [m, groups]),
        scalar('scale', [m, groups]),
        scalar('code_scale', [m]),
        bytes('code_zero', 'scales', [m]),
      ]
      const layout = { ...common, group, salient_bits, salient_weights: k, mask_low_bits: mask.lowBits }
      const kept = k / (m * n)
      return { tensors, layout, nominal: 1 - kept + kept * salient_bits }
    }
    case 'fdb': {
      const group = Math.min(number(parameters, 'group'), n)
      const tensors = [
        plane('sign', 'signs', n),
        plane('plane2', 'second', n),
        scalar('scale', [2, m, share(n, group)]),
      ]
      return { tensors, layout: { ...common, group }, nominal: 2 }
    }
    case 'signum-rc': {
      const blocksize = number(parameters, 'blocksize')
      const column_scales = parameters['column_scales'] === true
      const second_columns = secondColumns(number(parameters, 'second_plane'), n)
      const third_columns = secondColumns(number(parameters, 'third_plane'), n)
      const planes = [
        { suffix: '', k: n },
        { suffix: '2', k: second_columns },
        { suffix: '3', k: third_columns },
      ].filter(({ k }) => k > 0)
      const tensors = planes.flatMap(({ suffix, k }) => [
        plane(`sign${suffix}`, suffix === '' ? 'signs' : 'second', k),
        scalar(`row_scale${suffix}`, [m, share(k, blocksize)]),
        ...(column_scales ? [scalar(`column_scale${suffix}`, [k])] : []),
      ])
      const third = third_columns > 0 ? { third_columns } : {}
      const layout = { ...common, blocksize, second_columns, ...third, column_scales }
      return { tensors, layout, nominal: 1 + (second_columns + third_columns) / n }
    }
  }
}
