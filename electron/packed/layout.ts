// `linears` of a shard's metadata: how each quantized linear is stored.
import { z } from 'zod'

export const scalarTypes = ['f16', 'bf16', 'f32'] as const
export type ScalarType = (typeof scalarTypes)[number]

const count = z.int().nonnegative()
const positive = z.int().positive()
const common = { rows: positive, columns: positive, scale_type: z.enum(scalarTypes) }
const codes = { ...common, bits: z.int().min(1).max(8), group: positive, symmetric: z.boolean().optional() }
const arb = {
  ...common,
  blocksize: positive,
  column_group_bitmap: z.boolean(),
  splits: z.int().min(2).max(3).optional(),
  salient_columns: count,
}
const thirdOf = (layout: { third_columns?: number | undefined }): number => layout.third_columns ?? 0
/** Name of a tensor: stored column -> input column. */
const order = z.string().optional()

// Strict: a key that this reader does not know could change what the bytes mean.
export const layoutSchema = z.discriminatedUnion('method', [
  z.strictObject({ method: z.literal('rtn'), ...codes }),
  z.strictObject({ method: z.literal('gptq'), ...codes, order }),
  z.strictObject({ method: z.literal('billm'), ...common, blocksize: positive, salient_columns: count }),
  z
    .strictObject({
      method: z.literal('pb-llm'),
      ...common,
      group: positive,
      salient_bits: z.int().min(2).max(8),
      salient_weights: positive,
      mask_low_bits: z.int().min(0).max(8),
    })
    .refine((layout) => layout.salient_weights <= layout.rows * layout.columns, 'more salient weights than weights'),
  z.strictObject({ method: z.literal('arb'), ...arb }),
  z.strictObject({ method: z.literal('arb-x'), ...arb }),
  z.strictObject({ method: z.literal('arb-rc'), ...arb }),
  z.strictObject({ method: z.literal('fdb'), ...common, group: positive }),
  z
    .strictObject({
      method: z.literal('signum-rc'),
      ...common,
      blocksize: positive,
      second_columns: count,
      third_columns: positive.optional(),
      column_scales: z.boolean(),
      order,
    })
    .refine((layout) => layout.second_columns <= layout.columns, 'more second columns than columns')
    .refine((layout) => thirdOf(layout) <= layout.second_columns, 'more third columns than second columns'),
])

export type Layout = z.infer<typeof layoutSchema>
export type LayoutOf<Method extends Layout['method']> = Extract<Layout, { method: Method }>

/** Whether the salient columns are in two groups, and their second signs in a plane of their own. */
export const splitsSalient = (layout: Layout): boolean => 'column_group_bitmap' in layout && layout.column_group_bitmap

/** How often the columns that are not salient are split into groups; so are the salient ones, if at all. */
export const splitsOf = (layout: Layout): number => ('splits' in layout && layout.splits) || 1

/** signum-rc's planes: how many stored columns have each, and what stands behind the names of its tensors. */
export const planesOf = (layout: LayoutOf<'signum-rc'>): { suffix: string; columns: number }[] =>
  [
    { suffix: '', columns: layout.columns },
    { suffix: '2', columns: layout.second_columns },
    { suffix: '3', columns: thirdOf(layout) },
  ].filter(({ columns }) => columns > 0)

/** The name of the linear's order tensor; undefined where stored column = input column. */
export const orderOf = (layout: Layout): string | undefined => ('order' in layout ? layout.order : undefined)
