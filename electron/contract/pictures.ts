// Pictures of a quantized linear: which there are, how they are cut into tiles, how a tile travels, what one weight is.
//
// Every picture is in the order of the input columns. Level 0 has one cell per weight; a cell of level l stands for 2^l x 2^l
// weights (fewer at the edges) and carries their mean, in the picture `error` their root mean square. Tiles have 256 x 256
// cells, fewer at the edges, row by row. `salient` says the same of every weight of a column, so it has one row at every level.
// Pictures of small numbers travel as bits at the levels 0 and 1 (packed-tile.ts), all others as their cells.
import { z } from 'zod'
import { methodIds } from './methods.ts'
import { problemSchema } from './errors.ts'

export const tileSize = 256

export const pictureKinds = [
  'original',
  'quantized',
  'error',
  'sign',
  'second',
  'salient',
  'mask',
  'group',
  'code',
  'flipped',
  'change',
] as const
export type PictureKind = (typeof pictureKinds)[number]

/** Pictures of two models at once: of a pair alone, and of nothing else. */
export const isDifference = (kind: PictureKind): kind is 'flipped' | 'change' => kind === 'flipped' || kind === 'change'

/**
 * How cells travel. `value`: little-endian F32. `share`: one byte; 0 where no weight of the cell has such a bit, else 1 + 254 * the share of
 * ones among those that have one, rounded. A one is: sign +1, a salient column, a salient weight, the sparse group (groups between the
 * sparse and the concentrated one count as parts of it, in equal steps), a sign that the two of a pair do not share. `change` is how much
 * larger the error of the pair's second run is than that of its first, both without their signs.
 */
export const encodingOf = (kind: PictureKind): 'value' | 'share' => (shares.includes(kind) ? 'share' : 'value')
const shares: readonly PictureKind[] = ['sign', 'second', 'salient', 'mask', 'group', 'flipped']
export const noShare = 0
export const shareByte = (share: number) => 1 + Math.round(254 * share)
/** Null where there is nothing to have a share of. */
export const shareOf = (byte: number): number | null => (byte === noShare ? null : (byte - 1) / 254)

export type Shape = { rows: number; columns: number }
export type TilePlace = { level: number; row: number; column: number }

export const cellsAt = (weights: number, level: number) => Math.ceil(weights / 2 ** level)

/** The first level that one tile holds. */
export function topLevel({ rows, columns }: Shape): number {
  let level = 0
  while (cellsAt(Math.max(rows, columns), level) > tileSize) level++
  return level
}

/** The cells of a tile of a linear of this shape; null where there is no such tile. */
export function tileShape(shape: Shape, kind: PictureKind, { level, row, column }: TilePlace): Shape | null {
  if (level > topLevel(shape)) return null
  const rows = cellsAt(kind === 'salient' ? 1 : shape.rows, level) - row * tileSize
  const columns = cellsAt(shape.columns, level) - column * tileSize
  if (rows <= 0 || columns <= 0) return null
  return { rows: Math.min(tileSize, rows), columns: Math.min(tileSize, columns) }
}

/**
 * Whose pictures they are: a run's, those of a trial in the layer lab (contract/lab.ts), or those of a pair: a run, and what it is compared
 * with.
 */
export type PictureOwner = PackedOwner | PicturePair
export type TrialOwner = `trial-${number}`
/** Who has packed tensors: a run, a trial. */
export type PackedOwner = number | TrialOwner
export type PicturePair = `${number}@${number | 'original'}`
/** `other` null: the original weights, whose signs alone can be compared with a run's. */
export const pairOf = (run: number, other: number | null): PicturePair => `${run}@${other ?? 'original'}`

export const tilePath = (run: PictureOwner, linear: string, kind: PictureKind, { level, row, column }: TilePlace) =>
  `/pictures/${run}/${linear}/${kind}/${level}/${row}/${column}`
/** The same at once: made from a few rows where all of them would take longer. The answer's header says of how many. */
export const atOnce = (tilePath: string) => `${tilePath}/now`
/** The share of the rows that a tile was made from; no such header where it is exact. */
export const sampledHeader = 'signum-sampled'
export const cellPath = (run: PictureOwner, linear: string, row: number, column: number) =>
  `/pictures/${run}/${linear}/cell/${row}/${column}`

/** Numbers along an edge of a linear: [strips, rows] or [strips, columns], little-endian F32, NaN where there is none. */
export const edgePath = (run: PictureOwner, linear: string, edge: string) => `/pictures/${run}/${linear}/edge/${edge}`

export const picturedLinearSchema = z.object({
  name: z.string(),
  /** The decoder layer; null where the name has none. */
  layer: z.int().nullable(),
  kind: z.string(),
  rows: z.int(),
  columns: z.int(),
  method: z.enum(methodIds),
  /** Stored columns that share their row scales. */
  blocksize: z.int(),
  /** Stored columns are another order of the input columns, so blocks do not lie side by side. */
  ordered: z.boolean(),
  pictures: z.array(z.enum(pictureKinds)),
  /** Bits of a code; null where there are none. */
  code_bits: z.int().nullable(),
  /** Columns with a second sign. */
  second_columns: z.int(),
  /** That a weight may be in; null where there are none. */
  groups: z.int().nullable(),
  /** Weights with a code of their own among signs; 0 where there is no mask. */
  salient_weights: z.int(),
})
export type PicturedLinear = z.infer<typeof picturedLinearSchema>

export const picturesSchema = z.object({
  run: z.int(),
  linears: z.array(picturedLinearSchema),
  /** Why there are no pictures of the original weights; null when there are. */
  original_problem: problemSchema.nullable(),
})
export type Pictures = z.infer<typeof picturesSchema>

/** What a colour scale needs: 99.9 % of the sampled weights are no larger. 0 where all are 0. */
export const pictureScaleSchema = z.object({
  /** Of |original|, for original and quantized alike; of |quantized| where there is no original. */
  weight: z.number(),
  /** Of |quantized - original|; null without an original. */
  error: z.number().nullable(),
})
export type PictureScale = z.infer<typeof pictureScaleSchema>

/**
 * `hessian`: the diagonal of the Hessian of the linear's inputs. `scale`, `mean`: as they are stored, by row and block or by column.
 * `error`: the root mean square error of a column. `count`: the salient weights of a column. `mark`: 1 for a salient column, or one with
 * a second sign.
 */
export const edgeQuantities = ['hessian', 'scale', 'mean', 'error', 'count', 'mark'] as const
export const edgeSchema = z.object({
  id: z.string(),
  title: z.string(),
  quantity: z.enum(edgeQuantities),
  along: z.enum(['rows', 'columns']),
  /** One for each block of columns; 1 along the columns. */
  strips: z.int(),
})
export type Edge = z.infer<typeof edgeSchema>

/** Every column once: as list and as strips. */
export const columnEdges = {
  hessian: 'hessian',
  error: 'column-error',
  mark: 'salient',
  count: 'salient-weights',
} as const

/** How far two models differ in one linear, counted weight by weight. */
export const pictureDifferenceSchema = z.object({
  /** Weights that have a sign in both. */
  signs: z.int(),
  /** Of these, how many have the other sign. */
  flipped: z.int(),
  /** The same of the salient columns, or salient weights, of the first; null where it has none that stand out. */
  salient: z.object({ signs: z.int(), flipped: z.int() }).nullable(),
})
export type PictureDifference = z.infer<typeof pictureDifferenceSchema>

/** One weight. Null: the layout has no such thing here. Numbers that are not finite are null too. */
export const cellSchema = z.object({
  row: z.int(),
  column: z.int(),
  original: z.number().nullable(),
  quantized: z.number().nullable(),
  error: z.number().nullable(),
  sign: z.union([z.literal(1), z.literal(-1)]).nullable(),
  second: z.union([z.literal(1), z.literal(-1)]).nullable(),
  salient: z.boolean().nullable(),
  /** 0 is the sparse group, `of` - 1 the concentrated one. */
  group: z.object({ place: z.int(), of: z.int() }).nullable(),
  code: z.int().nullable(),
  /** Every value that this weight could have taken under its scales, ascending. */
  levels: z.array(z.number()),
})
export type Cell = z.infer<typeof cellSchema>
