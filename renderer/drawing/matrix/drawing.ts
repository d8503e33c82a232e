// What is on a viewer's canvas: the sheet of cells is drawn only where something of it changed, and laid out again with every move.
import type { Rgb } from '../colours.ts'
import type { Size } from './camera.ts'
import type { Fineness } from './pace.ts'
import { Painter } from './painter.ts'
import {
  cellsSeen,
  covers,
  drawSheet,
  lookAt,
  sameLayers,
  sheetFor,
  showSheet,
  type Cells,
  type Drawn,
  type Scene,
  type Seen,
} from './scene.ts'
import type { TileStore } from './tile-store.ts'

/** `came`: another number once other tiles are at hand. `known`: without their scale colours would not be the picture's own. */
export type State = { came: number; known: boolean }

export class MatrixDrawing {
  #canvas: HTMLCanvasElement
  #painter: Painter
  #tiles: TileStore
  /** What the card holds of the matrix, and of which scene. */
  #sheet: { cells: Cells; scene: Scene; came: number; drawn: Drawn } | null = null
  #shown: { scene: Scene; fineness: Fineness } | null = null

  /** Null: this machine has no WebGL2. */
  static on(canvas: HTMLCanvasElement, tiles: TileStore): MatrixDrawing | null {
    const painter = Painter.of(canvas)
    return painter && new MatrixDrawing(canvas, painter, tiles)
  }

  private constructor(canvas: HTMLCanvasElement, painter: Painter, tiles: TileStore) {
    this.#canvas = canvas
    this.#painter = painter
    this.#tiles = tiles
  }

  get usable(): boolean {
    return this.#painter.usable
  }

  lose(): void {
    this.#painter.lose()
    this.#sheet = this.#shown = null
  }

  restore(): void {
    this.#painter.restore()
  }

  free(): void {
    this.#painter.free()
  }

  /** The next frame is drawn though nothing changed. */
  anew(): void {
    this.#shown = null
  }

  /** Whether the view moved since what was drawn last. */
  movedTo(scene: Scene): boolean {
    return this.#shown !== null && this.#shown.scene.view !== scene.view
  }

  /** Draws what changed. `more`: the rest comes to the card in the next frames. */
  draw(scene: Scene, { came, known }: State, fineness: Fineness): Seen & { more: boolean } {
    const coarser = fineness === 2 ? 0.5 : 1
    const cells = known ? cellsSeen(scene) : null
    const held = cells === null || this.#holds(scene, cells, came)
    if (!held) {
      const wanted = sheetFor(scene)!
      this.#sheet = { cells: wanted, scene, came, drawn: drawSheet(this.#painter, this.#tiles, scene, wanted) }
    }
    if (!held || this.#shown?.scene !== scene || this.#shown.fineness !== fineness) {
      fitCanvas(this.#canvas, scene.size, scene.ratio * coarser)
      if (cells === null) this.#painter.blank(this.#canvas.width, this.#canvas.height, scene.ground)
      else showSheet(this.#painter, atRatio(scene, coarser), this.#sheet!.cells, fineness === 0)
      this.#shown = { scene, fineness }
    }
    const drawn = cells !== null && this.#sheet ? this.#sheet.drawn : { begun: cells === null && known, more: false }
    const seen = lookAt(this.#tiles, scene, drawn)
    return known ? { ...seen, more: drawn.more } : { ...seen, begun: false, ready: false, more: false }
  }

  /** The colour of a device pixel of what is drawn now; null outside. Draws once more, as the card keeps no pixels. */
  colourAt(scene: Scene, state: State, x: number, y: number): Rgb | null {
    this.anew()
    this.draw(scene, state, 0)
    const { width, height } = this.#canvas
    return x < 0 || y < 0 || x >= width || y >= height ? null : this.#painter.pixel(x, y, height)
  }

  /** For measurements: milliseconds until the card has drawn the sheet and laid it out, or only the second, at any fineness. */
  drawTime(scene: Scene, state: State, what: 'sheet' | Fineness): number {
    const times = 5
    const begun = performance.now()
    for (let k = 0; k < times; k++) {
      this.anew()
      if (what === 'sheet') this.#sheet = null
      this.draw(scene, state, what === 'sheet' ? 0 : what)
      // Reading waits for the card.
      this.#painter.pixel(0, 0, this.#canvas.height)
    }
    this.anew()
    return (performance.now() - begun) / times
  }

  #holds(scene: Scene, cells: Cells, came: number): boolean {
    const sheet = this.#sheet
    return (
      sheet !== null &&
      sheet.came === came &&
      !sheet.drawn.more &&
      covers(sheet.cells, cells) &&
      sheet.scene.linear === scene.linear &&
      sheet.scene.ground === scene.ground &&
      sameLayers(sheet.scene.layers, scene.layers)
    )
  }
}

const atRatio = (scene: Scene, coarser: number): Scene =>
  coarser === 1 ? scene : { ...scene, ratio: scene.ratio * coarser }

/** CSS pixels, and device pixels of one. */
export function fitCanvas(canvas: HTMLCanvasElement, { width, height }: Size, ratio: number): void {
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)]
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h]
}
