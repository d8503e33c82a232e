// Which tensors a linear of a layout has: `P.<role>` for every role given here, and no other.
import type { Dtype } from './header.ts'
import { planesOf, splitsOf, splitsSalient, type Layout, type LayoutOf, type ScalarType } from './layout.ts'
import { rowBytes } from './planes.ts'

export interface RoleTensor {
  readonly role: string
  readonly dtype: Dtype
  readonly shape: readonly number[]
  /** Which axis counts the linear's rows (outputs); null for what all rows share. */
  readonly rowAxis: number | null
  /** A stream of bits in which every row has so many, and so many more for each of its salient weights. */
  readonly stream?: { readonly perRow: number; readonly perSalient: number }
}

const scalarDtype = { f16: 'F16', bf16: 'BF16', f32: 'F32' } as const satisfies Record<ScalarType, Dtype>

export function rolesOf(layout: Layout): RoleTensor[] {
  const { rows: m, columns: n } = layout
  const scalar = scalarDtype[layout.scale_type]
  const plane = (role: string, width: number): RoleTensor => bytes(role, [m, rowBytes(width)], 0)
  switch (layout.method) {
    case 'rtn':
    case 'gptq': {
      const groups = Math.ceil(n / layout.group)
      return [
        plane('code', n * layout.bits),
        { role: 'code_scale', dtype: scalar, shape: [m, groups], rowAxis: 0 },
        ...(layout.symmetric ? [] : [bytes('code_zero', [m, groups], 0)]),
      ]
    }
    case 'billm':
    case 'arb':
    case 'arb-x':
    case 'arb-rc': {
      const blocks = Math.ceil(n / layout.blocksize)
      const split = splitsSalient(layout)
      const perBlock = (role: string, slots: number): RoleTensor => ({
        role,
        dtype: scalar,
        shape: [slots, m, blocks],
        rowAxis: 1,
      })
      const groups = splitsOf(layout) + 1
      const salientGroups = split ? groups : 1
      const columnSlots = Math.max(2 * salientGroups, groups)
      const columnScale: RoleTensor = { role: 'column_scale', dtype: scalar, shape: [columnSlots, n], rowAxis: null }
      return [
        plane('sign', n),
        plane('plane2', n),
        ...(groups > 2 ? [plane('group2', n)] : []),
        ...(split ? [plane('plane3', layout.salient_columns)] : []),
        bytes('salient', [rowBytes(n)], null),
        ...(layout.method === 'arb-rc'
          ? [perBlock('row_scale', 2 * salientGroups + groups), columnScale]
          : [perBlock('scale', 2 * salientGroups + groups), perBlock('mean', salientGroups + groups)]),
      ]
    }
    case 'pb-llm': {
      const { salient_weights: k, mask_low_bits: low } = layout
      const groups = Math.ceil(n / layout.group)
      const stream = (role: string, perSalient: number, perRow = 0): RoleTensor => ({
        ...bytes(role, [rowBytes(k * perSalient + m * perRow)], null),
        stream: { perRow, perSalient },
      })
      const perRow = (role: string, shape: number[]): RoleTensor => ({ role, dtype: scalar, shape, rowAxis: 0 })
      return [
        { role: 'salient_count', dtype: orderDtype(n), shape: [m], rowAxis: 0 },
        ...(low === 0 ? [plane('mask', n)] : [stream('mask_low', low), stream('mask_high', 1, highZeros(layout))]),
        plane('sign', n),
        stream('code', layout.salient_bits - 1),
        perRow('mean', [m, groups]),
        perRow('scale', [m, groups]),
        perRow('code_scale', [m]),
        bytes('code_zero', [m], 0),
      ]
    }
    case 'fdb': {
      const shape = [2, m, Math.ceil(n / layout.group)]
      return [plane('sign', n), plane('plane2', n), { role: 'scale', dtype: scalar, shape, rowAxis: 1 }]
    }
    case 'signum-rc': {
      const blocks = (columns: number) => Math.ceil(columns / layout.blocksize)
      const columnScale = (role: string, columns: number): RoleTensor[] =>
        layout.column_scales ? [{ role, dtype: scalar, shape: [columns], rowAxis: null }] : []
      return planesOf(layout).flatMap(({ suffix, columns }): RoleTensor[] => [
        plane(`sign${suffix}`, columns),
        { role: `row_scale${suffix}`, dtype: scalar, shape: [m, blocks(columns)], rowAxis: 0 },
        ...columnScale(`column_scale${suffix}`, columns),
      ])
    }
  }
}

const bytes = (role: string, shape: readonly number[], rowAxis: number | null): RoleTensor => ({
  role,
  dtype: 'U8',
  shape,
  rowAxis,
})

/** Zeros of a row of mask_high: one for every 2^mask_low_bits columns. */
export const highZeros = ({ columns, mask_low_bits: low }: LayoutOf<'pb-llm'>): number => Math.ceil(columns / 2 ** low)

/** The order tensor, which linears with one input share, and counts of columns: U16 where that can hold every one, else U32. */
export const orderDtype = (columns: number): 'U16' | 'U32' => (columns < 65_536 ? 'U16' : 'U32')
