// Numbers of single cells from the tiles at hand.
import {
  tilePath,
  tileShape,
  tileSize,
  topLevel,
  type PicturedLinear,
  type Shape,
  type TilePlace,
} from '../../../electron/contract/pictures.ts'
import { packedAt, packedValue, weightsOf } from '../../../electron/contract/packed-tile.ts'
import type { Rgb } from '../colours.ts'
import { coatColour } from './overlays.ts'
import { valueOf } from './paint.ts'
import type { Layer } from './scene.ts'
import type { TileData, TileStore } from './tile-store.ts'

type Pictured = Pick<Layer, 'run' | 'kind'>

/** Of level 0; undefined while it is not there, NaN where there is none. */
export function weightIn(
  tiles: TileStore,
  linear: PicturedLinear,
  { run, kind }: Pictured,
  row: number,
  column: number,
): number | undefined {
  const down = kind === 'salient' ? 0 : row
  const place = { level: 0, row: Math.floor(down / tileSize), column: Math.floor(column / tileSize) }
  const data = tiles.get(tilePath(run, linear.name, kind, place))
  return data === null ? undefined : cellIn(linear, kind, place, data, down % tileSize, column % tileSize)
}

/** Of a tile, counted from its first cell. */
export function cellIn(
  linear: PicturedLinear,
  kind: Layer['kind'],
  place: TilePlace,
  data: TileData,
  row: number,
  column: number,
): number {
  const packing = packedAt(linear, kind, place.level)
  if (!packing || !(data instanceof Uint32Array)) {
    return valueOf(kind, data[row * tileShape(linear, kind, place)!.columns + column]!)
  }
  const size = weightsOf(linear, place)!
  const block = 2 ** place.level
  let sum = 0
  let count = 0
  for (let i = row * block; i < Math.min(size.rows, (row + 1) * block); i++) {
    for (let j = column * block; j < Math.min(size.columns, (column + 1) * block); j++) {
      const value = packedValue(data, size, packing, i, j)
      if (Number.isNaN(value)) continue
      sum += value
      count += 1
    }
  }
  return sum / count
}

/** What a weight looks like with all that lies over it. */
export function blendedColour(
  tiles: TileStore,
  linear: PicturedLinear,
  layers: readonly Layer[],
  ground: Rgb,
  row: number,
  column: number,
): Rgb {
  let colour = ground
  for (const layer of layers) {
    const value = weightIn(tiles, linear, layer, row, column)
    if (value !== undefined) colour = coatColour(layer.coat, value, colour)
  }
  return colour
}

/** The picture in the one tile of its coarsest level. */
export const coarsestPlace = (linear: Shape): TilePlace => ({ level: topLevel(linear), row: 0, column: 0 })
