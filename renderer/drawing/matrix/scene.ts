// What a viewer shows in one frame, and the drawing of its tiles.
import {
  cellsAt,
  encodingOf,
  tilePath,
  tileShape,
  topLevel,
  type PicturedLinear,
  type PictureKind,
  type PictureOwner,
  type TilePlace,
} from '../../../electron/contract/pictures.ts'
import { packedAt, packedLevels, weightsOf } from '../../../electron/contract/packed-tile.ts'
import type { Problem } from '../../../electron/contract/errors.ts'
import type { Rgb } from '../colours.ts'
import { origin, type Size, type View } from './camera.ts'
import type { Coat, Painter } from './painter.ts'
import type { TileForm } from './textures.ts'
import { extentOf, levelFor, standIns, visibleTiles, type Extent } from './tiles.ts'
import type { TileStore, Wanted } from './tile-store.ts'

/** A picture, or what is laid over it. */
export type Layer = { run: PictureOwner; kind: PictureKind; coat: Coat }

export type Scene = {
  view: View
  /** Of the matrix' place, CSS pixels. */
  size: Size
  /** Device pixels of a CSS pixel. */
  ratio: number
  linear: PicturedLinear
  /** The picture first, then what lies over it, from the bottom up. */
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
  /** The smallest share of the rows that a seen tile was made from; null: all are exact. */
  sampled: number | null
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
  const { linear, layers } = scene
  const level = sceneLevel(scene)
  const seen = extentSeen(scene)
  const wanted = new Map<string, Wanted>()
  const add = ({ run, kind }: Layer, place: TilePlace) => {
    const path = tilePath(run, linear.name, kind, place)
    const packed = packedAt(linear, kind, place.level) !== null
    const coarse = place.level >= packedLevels && kind !== 'salient'
    wanted.set(path, { path, encoding: packed ? 'packed' : encodingOf(kind), coarse })
  }
  for (const layer of layers) {
    for (const place of visibleTiles(linear, layer.kind, level, seen)) add(layer, place)
    add(layer, { level: topLevel(linear), row: 0, column: 0 })
  }
  const margin = 128 * 2 ** level
  const wider = {
    left: seen.left - margin,
    top: seen.top - margin,
    right: seen.right + margin,
    bottom: seen.bottom + margin,
  }
  for (const place of visibleTiles(linear, layers[0]!.kind, level, wider)) add(layers[0]!, place)
  return [...wanted.values()]
}

/** Cells of a level: what the sheet has. The ends are not in it. */
export type Cells = { level: number } & Extent

/** Borders of the sheet lie at multiples of so many cells, so that it lasts for some moves of the view. */
const sheetStep = 64

/** The cells in sight; null where the matrix is not in sight at all. */
export function cellsSeen(scene: Scene): Cells | null {
  const level = sceneLevel(scene)
  const seen = extentSeen(scene)
  const step = 2 ** level
  const { rows, columns } = scene.linear
  const cells = {
    level,
    left: Math.max(0, Math.floor(seen.left / step)),
    top: Math.max(0, Math.floor(seen.top / step)),
    right: Math.min(cellsAt(columns, level), Math.ceil(seen.right / step)),
    bottom: Math.min(cellsAt(rows, level), Math.ceil(seen.bottom / step)),
  }
  return cells.right > cells.left && cells.bottom > cells.top ? cells : null
}

/** With some room around. */
export function sheetFor(scene: Scene): Cells | null {
  const seen = cellsSeen(scene)
  if (seen === null) return null
  const { rows, columns } = scene.linear
  const down = (cell: number) => Math.floor(cell / sheetStep) * sheetStep
  const up = (cell: number, most: number) => Math.min(most, Math.ceil(cell / sheetStep) * sheetStep)
  return {
    level: seen.level,
    left: down(seen.left),
    top: down(seen.top),
    right: up(seen.right, cellsAt(columns, seen.level)),
    bottom: up(seen.bottom, cellsAt(rows, seen.level)),
  }
}

export const covers = (sheet: Cells, seen: Cells): boolean =>
  sheet.level === seen.level &&
  sheet.left <= seen.left &&
  sheet.top <= seen.top &&
  sheet.right >= seen.right &&
  sheet.bottom >= seen.bottom

/** Whether a sheet with one is a sheet with the other. */
export const sameLayers = (a: readonly Layer[], b: readonly Layer[]): boolean =>
  a.length === b.length &&
  a.every(({ run, kind, coat }, k) => {
    const { run: owner, kind: other, coat: its } = b[k]!
    return (
      run === owner &&
      kind === other &&
      coat.table === its.table &&
      coat.low === its.low &&
      coat.high === its.high &&
      coat.size === its.size &&
      coat.opacity === its.opacity &&
      coat.none?.join() === its.none?.join()
    )
  })

export const sameSeen = (a: Seen, b: Seen): boolean =>
  a.level === b.level &&
  a.ready === b.ready &&
  a.begun === b.begun &&
  a.problem === b.problem &&
  a.sampled === b.sampled

/** What of the scene is there, and how well. */
export function lookAt(tiles: TileStore, scene: Scene, drawn: Drawn): Seen {
  const { layers, linear } = scene
  const level = sceneLevel(scene)
  const seen: Seen = { level, ready: !drawn.more, begun: drawn.begun, problem: null, sampled: null }
  for (const { run, kind } of layers) {
    for (const place of visibleTiles(linear, kind, level, extentSeen(scene))) {
      const path = tilePath(run, linear.name, kind, place)
      if (!tiles.has(path)) seen.ready = false
      seen.problem ??= tiles.problem(path)
      const sampled = tiles.sampled(path)
      if (sampled !== null) seen.sampled = Math.min(sampled, seen.sampled ?? 1)
    }
  }
  return seen
}

/** `begun`: something of the picture is there. `more`: some tiles did not come to the card in this frame. */
export type Drawn = { begun: boolean; more: boolean }

/** Draws the sheet. */
export function drawSheet(painter: Painter, tiles: TileStore, scene: Scene, sheet: Cells): Drawn {
  const { layers, linear } = scene
  const size = { width: sheet.right - sheet.left, height: sheet.bottom - sheet.top }
  painter.begin(size.width, size.height, scene.ground)
  const step = 2 ** sheet.level
  const extent = {
    left: sheet.left * step,
    top: sheet.top * step,
    right: sheet.right * step,
    bottom: sheet.bottom * step,
  }
  const result: Drawn = { begun: false, more: false }
  for (const [index, { run, kind, coat }] of layers.entries()) {
    painter.coat(coat)
    const path = (place: TilePlace) => tilePath(run, linear.name, kind, place)
    // A tile that is there but not yet on the card is drawn in a later frame.
    const there = (place: TilePlace) => {
      const data = tiles.get(path(place))
      if (data === null) return false
      const form = formOf(linear, kind, place)
      if (form === null || painter.upload(path(place), data, form)) return true
      result.more = true
      return false
    }
    for (const place of visibleTiles(linear, kind, sheet.level, extent)) {
      // What lies over a picture would add up where finer tiles lie over a coarser one.
      const drawn = standIns(linear, kind, place, there)
      for (const one of index === 0 ? drawn : drawn.slice(0, 1)) {
        drawTile(painter, tiles, { ...one, kind, key: path(one.place), linear }, sheet, size)
        if (index === 0) result.begun = true
      }
    }
  }
  return result
}

/** Lays the sheet out over the view. `fine`: as well as it can be, rather than fast. */
export function showSheet(painter: Painter, scene: Scene, sheet: Cells, fine: boolean): void {
  const { view, size, ratio, linear, ground } = scene
  const [width, height] = [Math.round(size.width * ratio), Math.round(size.height * ratio)]
  const { left, top } = origin(view, size, ratio)
  const weight = view.cell * ratio
  const cell = weight * 2 ** sheet.level
  const inside = (value: number, most: number) => Math.min(most, Math.max(0, value))
  const [x, y] = [left + sheet.left * cell, top + sheet.top * cell]
  const rectangle = [
    inside(x, width),
    inside(y, height),
    inside(Math.min(left + sheet.right * cell, left + linear.columns * weight), width),
    inside(Math.min(top + sheet.bottom * cell, top + linear.rows * weight), height),
  ] as const
  painter.show({ width, height, ground, rectangle, origin: [x, y], cell, fine })
}

type Drawing = { key: string; place: TilePlace; part: Extent; kind: PictureKind; linear: PicturedLinear }

function formOf(linear: PicturedLinear, kind: PictureKind, place: TilePlace): TileForm | null {
  const cells = tileShape(linear, kind, place)
  const weights = weightsOf(linear, place)
  return cells && weights && { cells, packing: packedAt(linear, kind, place.level), weights }
}

function drawTile(
  painter: Painter,
  tiles: TileStore,
  { key, place, part, kind, linear }: Drawing,
  sheet: Cells,
  size: Size,
): void {
  const data = tiles.get(key)
  const form = formOf(linear, kind, place)
  const whole = extentOf(linear, kind, place)
  if (data === null || form === null || whole === null) return
  const step = 2 ** sheet.level
  // Whole cells: the last one of a row may stand for fewer weights than the others.
  const within = (weight: number, first: number, most: number, round: (value: number) => number) =>
    Math.min(most, Math.max(0, round(weight / step) - first))
  painter.tile({
    key,
    data,
    ...form,
    rectangle: [
      within(part.left, sheet.left, size.width, Math.floor),
      within(part.top, sheet.top, size.height, Math.floor),
      within(part.right, sheet.left, size.width, Math.ceil),
      within(part.bottom, sheet.top, size.height, Math.ceil),
    ],
    origin: [whole.left / step - sheet.left, whole.top / step - sheet.top],
    cell: 2 ** (place.level - sheet.level),
    block: 2 ** place.level,
  })
}
