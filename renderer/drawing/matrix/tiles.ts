// Which tiles a view needs, at which level, and what stands in for one that is not there yet.
import {
  tileShape,
  tileSize,
  topLevel,
  type PictureKind,
  type Shape,
  type TilePlace,
} from '../../../electron/contract/pictures.ts'

/** A part of the matrix in weights; the ends are not in it. */
export type Extent = { left: number; top: number; right: number; bottom: number }

/** The finest level whose cells are no smaller than a device pixel; `cell`: device pixels of a weight. */
export function levelFor(cell: number, shape: Shape): number {
  const level = Math.ceil(-Math.log2(cell) - 1e-9)
  return Math.min(topLevel(shape), Math.max(0, level))
}

/** The weights of a tile. `salient` speaks for all rows. */
export function extentOf(shape: Shape, kind: PictureKind, place: TilePlace): Extent | null {
  const cells = tileShape(shape, kind, place)
  if (cells === null) return null
  const step = 2 ** place.level
  const left = place.column * tileSize * step
  const right = Math.min(shape.columns, left + cells.columns * step)
  if (kind === 'salient') return { left, right, top: 0, bottom: shape.rows }
  const top = place.row * tileSize * step
  return { left, right, top, bottom: Math.min(shape.rows, top + cells.rows * step) }
}

/** The tiles of a level that touch what is seen, the middle of the view first. */
export function visibleTiles(shape: Shape, kind: PictureKind, level: number, seen: Extent): TilePlace[] {
  const step = tileSize * 2 ** level
  const range = (from: number, to: number, most: number) => {
    const first = Math.max(0, Math.floor(from / step))
    const last = Math.ceil(Math.min(to, most) / step) - 1
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, k) => first + k)
  }
  const rows = kind === 'salient' ? [0] : range(seen.top, seen.bottom, shape.rows)
  const columns = range(seen.left, seen.right, shape.columns)
  const middle = { x: (seen.left + seen.right) / 2, y: (seen.top + seen.bottom) / 2 }
  const found = rows.flatMap((row) =>
    columns.flatMap((column) => {
      const place = { level, row, column }
      const part = extentOf(shape, kind, place)
      if (part === null || !touch(part, seen)) return []
      return [
        { place, far: Math.hypot((part.left + part.right) / 2 - middle.x, (part.top + part.bottom) / 2 - middle.y) },
      ]
    }),
  )
  return found.sort((a, b) => a.far - b.far).map(({ place }) => place)
}

const touch = (a: Extent, b: Extent) => a.left < b.right && a.right > b.left && a.top < b.bottom && a.bottom > b.top

/** The tile of the next coarser level that holds this one. */
export const parentOf = ({ level, row, column }: TilePlace): TilePlace => ({
  level: level + 1,
  row: row >> 1,
  column: column >> 1,
})

/** The tiles of the next finer level that this one is made of. */
export function childrenOf(shape: Shape, kind: PictureKind, { level, row, column }: TilePlace): TilePlace[] {
  if (level === 0) return []
  return [0, 1]
    .flatMap((down) => [0, 1].map((right) => ({ level: level - 1, row: 2 * row + down, column: 2 * column + right })))
    .filter((place) => tileShape(shape, kind, place) !== null)
}

/** A tile, and the part of the matrix that it is drawn for. */
export type Drawn = { place: TilePlace; part: Extent }

/**
 * What is drawn for a tile, first to last: itself; or the nearest coarser one that is there and, over it, the next finer ones
 * that are there.
 */
export function standIns(
  shape: Shape,
  kind: PictureKind,
  place: TilePlace,
  there: (place: TilePlace) => boolean,
): Drawn[] {
  const part = extentOf(shape, kind, place)
  if (part === null) return []
  if (there(place)) return [{ place, part }]
  const drawn: Drawn[] = []
  for (let coarser = place; coarser.level < topLevel(shape);) {
    coarser = parentOf(coarser)
    if (!there(coarser)) continue
    drawn.push({ place: coarser, part })
    break
  }
  for (const finer of childrenOf(shape, kind, place)) {
    if (there(finer)) drawn.push({ place: finer, part: extentOf(shape, kind, finer)! })
  }
  return drawn
}
