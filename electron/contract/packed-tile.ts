// A tile of the two finest levels of a picture of small numbers: the weights' own bits, to be decoded where they are drawn.
//
// One number of `width` bits for every weight of the tile, row by row, least significant bits first, in little-endian words of
// 32 bits; every row starts at a new word. After them one bit per weight says whether it has such a number, laid out the same way:
// no rows of these where all have one, one row where it is the same in every row, else as many rows as the tile has.
import { tileSize, type PicturedLinear, type PictureKind, type Shape, type TilePlace } from './pictures.ts'

/** Levels below this one come as bits: a cell of level 1 is 2 x 2 weights, whose mean is taken where they are drawn. */
export const packedLevels = 2

/** `width`: bits of a number, 1, 2, 4 or 8. `steps`: the number that stands for 1. */
export type Packing = { width: number; steps: number }
export type Packed = Pick<PicturedLinear, 'groups' | 'code_bits'>

/** Null where a picture has no small numbers, at any level. */
export function packingOf(linear: Packed, kind: PictureKind): Packing | null {
  switch (kind) {
    case 'sign':
    case 'second':
    case 'mask':
    case 'flipped':
      return { width: 1, steps: 1 }
    case 'group': {
      const steps = (linear.groups ?? 2) - 1
      return { width: steps === 1 ? 1 : 2, steps }
    }
    case 'code':
      return { width: 2 ** Math.ceil(Math.log2(linear.code_bits ?? 8)), steps: 1 }
    default:
      return null
  }
}

/** How the tiles of a level travel. */
export const packedAt = (linear: Packed, kind: PictureKind, level: number): Packing | null =>
  level < packedLevels ? packingOf(linear, kind) : null

/** The weights of a tile; null where there is no such tile. */
export function weightsOf({ rows, columns }: Shape, { level, row, column }: TilePlace): Shape | null {
  const step = tileSize * 2 ** level
  const size = { rows: Math.min(step, rows - row * step), columns: Math.min(step, columns - column * step) }
  return size.rows > 0 && size.columns > 0 ? size : null
}

/** Words of a row. */
export const rowWords = (columns: number, width: number) => Math.ceil((columns * width) / 32)

/** Where the rows of presence begin, and how many there are. */
export function presenceIn(words: number, { rows, columns }: Shape, width: number): { begin: number; rows: number } {
  const begin = rows * rowWords(columns, width)
  return { begin, rows: (words - begin) / rowWords(columns, 1) }
}

/** The number of a weight of the tile, `row` and `column` counted from its first one; NaN where it has none. */
export function packedValue(
  words: Uint32Array,
  size: Shape,
  { width, steps }: Packing,
  row: number,
  column: number,
): number {
  const presence = presenceIn(words.length, size, width)
  if (presence.rows > 0) {
    const at = presence.begin + (presence.rows === 1 ? 0 : row) * rowWords(size.columns, 1) + (column >> 5)
    if (((words[at]! >>> (column & 31)) & 1) === 0) return Number.NaN
  }
  const bit = column * width
  return ((words[row * rowWords(size.columns, width) + (bit >> 5)]! >>> (bit & 31)) & (2 ** width - 1)) / steps
}
