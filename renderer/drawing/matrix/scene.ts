// What a viewer shows in one frame, and the drawing of its tiles.
import {
  tilePath,
  tileShape,
  topLevel,
  type PicturedLinear,
  type PictureKind,
  type PictureOwner,
  type Shape,
  type TilePlace,
} from '../../../electron/contract/pictures.ts'
import type { Problem } from '../../../electron/contract/errors.ts'
import type { Rgb } from '../colours.ts'
import { origin, type Size, type View } from './camera.ts'
import type { Coat, Painter } from './painter.ts'
import { extentOf, levelFor, standIns, visibleTiles, type Extent } from './tiles.ts'
import type { TileStore, Wanted } from './tile-store.ts'

/** A picture, or what is laid over it. */
export type Layer = { kind: PictureKind; coat: Coat }

export type Scene = {
  view: View
  /** Of the matrix' place, CSS pixels. */
  size: Size
  /** Device pixels of a CSS pixel. */
  ratio: number
  run: PictureOwner
  linear: PicturedLinear
  /** The picture first, then its overlays. */
  layers: readonly Layer[]
  ground: Rgb
}

export type Seen = {
  level: number
  /** Every tile of the level that is seen is there. */
  ready: boolean
  /** Something of the picture is there. */
  begun: boolean
  problem: Problem | null
}

/** The weights in sight, and `around` tiles more to each side. */
export function extentSeen({ view, size, ratio }: Scene): Extent {
  const { left, top } = origin(view, size, ratio)
  const cell = view.cell * ratio
  return {
    left: -left / cell,
    top: -top / cell,
    right: (size.width * ratio - left) / cell,
    bottom: (size.height * ratio - top) / cell,
  }
}

export const sceneLevel = ({ view, ratio, linear }: Scene) => levelFor(view.cell * ratio, linear)

/** What the scene needs: the whole matrix at its coarsest, what is seen, and of the picture itself what lies around. */
export function wantedFor(scene: Scene): Wanted[] {
  const { run, linear, layers } = scene
  const level = sceneLevel(scene)
  const seen = extentSeen(scene)
  const wanted = new Map<string, Wanted>()
  const add = (kind: PictureKind, place: TilePlace) => {
    const path = tilePath(run, linear.name, kind, place)
    wanted.set(path, { path, kind })
  }
  for (const { kind } of layers) {
    for (const place of visibleTiles(linear, kind, level, seen)) add(kind, place)
    add(kind, { level: topLevel(linear), row: 0, column: 0 })
  }
  const margin = 128 * 2 ** level
  const wider = {
    left: seen.left - margin,
    top: seen.top - margin,
    right: seen.right + margin,
    bottom: seen.bottom + margin,
  }
  for (const place of visibleTiles(linear, layers[0]!.kind, level, wider)) add(layers[0]!.kind, place)
  return [...wanted.values()]
}

export function paint(painter: Painter, tiles: TileStore, scene: Scene): Seen {
  const { view, size, ratio, layers, linear, run } = scene
  const width = Math.round(size.width * ratio)
  const height = Math.round(size.height * ratio)
  painter.begin(width, height, scene.ground)
  const at = origin(view, size, ratio)
  const level = sceneLevel(scene)
  const seen: Seen = { level, ready: true, begun: false, problem: null }
  for (const [index, { kind, coat }] of layers.entries()) {
    painter.coat(coat)
    const path = (place: TilePlace) => tilePath(run, linear.name, kind, place)
    for (const place of visibleTiles(linear, kind, level, extentSeen(scene))) {
      if (!tiles.has(path(place))) seen.ready = false
      seen.problem ??= tiles.problem(path(place))
      // Overlays would add up where finer tiles lie over a coarser one.
      const drawn = standIns(linear, kind, place, (one) => tiles.has(path(one)))
      for (const one of index === 0 ? drawn : drawn.slice(0, 1)) {
        drawTile(painter, tiles, { ...one, kind, key: path(one.place), shape: linear }, at, view.cell * ratio, {
          width,
          height,
        })
        if (index === 0) seen.begun = true
      }
    }
  }
  return seen
}

type Drawing = { key: string; place: TilePlace; part: Extent; kind: PictureKind; shape: Shape }

function drawTile(
  painter: Painter,
  tiles: TileStore,
  { key, place, part, kind, shape }: Drawing,
  { left, top }: { left: number; top: number },
  cell: number,
  size: Size,
): void {
  const data = tiles.get(key)
  const cells = tileShape(shape, kind, place)
  const whole = extentOf(shape, kind, place)
  if (data === null || cells === null || whole === null) return
  const inside = (value: number, most: number) => Math.min(most, Math.max(0, value))
  painter.tile({
    key,
    data,
    cells,
    rectangle: [
      inside(left + part.left * cell, size.width),
      inside(top + part.top * cell, size.height),
      inside(left + part.right * cell, size.width),
      inside(top + part.bottom * cell, size.height),
    ],
    origin: [left + whole.left * cell, top + whole.top * cell],
    cell: cell * 2 ** place.level,
  })
}
