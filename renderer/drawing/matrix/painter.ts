// Draws tiles with WebGL2 into a sheet of cells, and lays the sheet out over the view. After the graphics card was lost, what it held
// comes back by itself.
import type { Rgb, Table } from '../colours.ts'
import { Program } from './program.ts'
import { cellShader, sheetShader, vertexShader } from './shaders.ts'
import { Textures, type TileForm } from './textures.ts'
import type { TileData } from './tile-store.ts'

/** Pixels of what is drawn to. */
type Rectangle = readonly [left: number, top: number, right: number, bottom: number]

export type Coat = {
  table: Table
  low: number
  high: number
  size: boolean
  /** Of cells without a value; null: what lies below is seen. */
  none: Rgb | null
  /** 0 to 1, besides what the table says. */
  opacity: number
}
export type TileDrawing = TileForm & {
  key: string
  data: TileData
  rectangle: Rectangle
  /** Of the tile's first cell. */
  origin: readonly [x: number, y: number]
  /** Pixels of a cell of the tile. */
  cell: number
  /** Weights along the edge of a cell. */
  block: number
}
export type Showing = {
  /** Of the view, device pixels. */
  width: number
  height: number
  ground: Rgb
  rectangle: Rectangle
  /** Of the sheet's first cell. */
  origin: readonly [x: number, y: number]
  cell: number
  /** As well as it can be, rather than fast. */
  fine: boolean
}

/** Milliseconds of a frame for what is not on the card yet; at least one tile goes there in every frame. */
const uploadTime = 4
const units = { tile: 0, colours: 1, bits: 2, flags: 3, sheet: 4 } as const
/** Cells that are so many pixels large need no more than one sample. */
const largeCell = 4

export class Painter {
  #gl: WebGL2RenderingContext
  #textures: Textures
  #cells: Program | null = null
  #layout: Program | null = null
  #sheet: { texture: WebGLTexture; frame: WebGLFramebuffer; width: number; height: number } | null = null
  #uploadsEnd = 0
  #uploaded = false

  /** Null: this machine has no WebGL2. */
  static of(canvas: HTMLCanvasElement): Painter | null {
    const gl = canvas.getContext('webgl2', { alpha: false, antialias: false, depth: false, stencil: false })
    return gl && new Painter(gl)
  }

  private constructor(gl: WebGL2RenderingContext) {
    this.#gl = gl
    this.#textures = new Textures(gl)
    this.#prepare()
  }

  /** False while the graphics card is away. */
  get usable(): boolean {
    return this.#cells !== null && !this.#gl.isContextLost()
  }

  lose(): void {
    this.#cells = null
    this.#sheet = null
    this.#textures.free()
  }

  restore(): void {
    this.#prepare()
  }

  /** A new sheet of so many cells; tiles are drawn to it, a pixel for a cell. */
  begin(columns: number, rows: number, ground: Rgb): void {
    const gl = this.#gl
    this.#makeSheet(columns, rows)
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.#sheet!.frame)
    gl.viewport(0, 0, columns, rows)
    this.#clear(ground)
    gl.enable(gl.BLEND)
    this.#cells!.use()
    gl.uniform2f(this.#cells!.place('size'), columns, rows)
    this.#uploadsEnd = performance.now() + uploadTime
    this.#uploaded = false
  }

  /** Brings a tile to the card. False: not in this frame, which has had its share. */
  upload(key: string, data: TileData, form: TileForm): boolean {
    if (this.#textures.holds(key, data)) return true
    if (this.#uploaded && performance.now() > this.#uploadsEnd) return false
    this.#textures.tile(key, data, form)
    this.#uploaded = true
    return true
  }

  /** For the tiles that follow. */
  coat({ table, low, high, size, none, opacity }: Coat): void {
    const gl = this.#gl
    gl.uniform2f(this.#place('range'), low, high)
    gl.uniform1i(this.#place('sized'), size ? 1 : 0)
    gl.uniform1f(this.#place('opacity'), opacity)
    const [red, green, blue] = none ?? [0, 0, 0]
    gl.uniform4f(this.#place('none'), red / 255, green / 255, blue / 255, none ? 1 : 0)
    this.#bind(units.colours, this.#textures.table(table))
  }

  tile({ key, data, rectangle, origin, cell, block, ...form }: TileDrawing): void {
    const gl = this.#gl
    const { cells, packing, weights } = form
    const { texture, flags, flagRows } = this.#textures.tile(key, data, form)
    if (packing) {
      this.#bind(units.bits, texture)
      if (flags) this.#bind(units.flags, flags)
      gl.uniform1f(this.#place('steps'), packing.steps)
      gl.uniform1i(this.#place('block'), block)
      gl.uniform2i(this.#place('weights'), weights.columns, weights.rows)
      gl.uniform1i(this.#place('flagRows'), flagRows)
    } else this.#bind(units.tile, texture)
    gl.uniform1i(this.#place('width'), packing?.width ?? 0)
    gl.uniform1i(this.#place('share'), data instanceof Uint8Array ? 1 : 0)
    gl.uniform4f(this.#place('rectangle'), ...rectangle)
    gl.uniform2f(this.#place('origin'), ...origin)
    gl.uniform1f(this.#place('cell'), cell)
    gl.uniform2i(this.#place('cells'), cells.columns, cells.rows)
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4)
  }

  /** The sheet in the view. */
  show({ width, height, ground, rectangle, origin, cell, fine }: Showing): void {
    const gl = this.#gl
    gl.bindFramebuffer(gl.FRAMEBUFFER, null)
    gl.viewport(0, 0, width, height)
    this.#clear(ground)
    if (this.#sheet === null || this.#layout === null) return
    const layout = this.#layout
    layout.use()
    gl.disable(gl.BLEND)
    this.#bind(units.sheet, this.#sheet.texture)
    gl.uniform2f(layout.place('size'), width, height)
    gl.uniform4f(layout.place('rectangle'), ...rectangle)
    gl.uniform2f(layout.place('origin'), ...origin)
    gl.uniform1f(layout.place('cell'), cell)
    gl.uniform2i(layout.place('cells'), this.#sheet.width, this.#sheet.height)
    gl.uniform1i(layout.place('fine'), fine && cell < largeCell ? 1 : 0)
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4)
  }

  /** Nothing but the ground. */
  blank(width: number, height: number, ground: Rgb): void {
    this.#gl.bindFramebuffer(this.#gl.FRAMEBUFFER, null)
    this.#gl.viewport(0, 0, width, height)
    this.#clear(ground)
  }

  /** Of what was shown just now; from the upper left corner. */
  pixel(x: number, y: number, height: number): Rgb {
    const bytes = new Uint8Array(4)
    this.#gl.readPixels(x, height - 1 - y, 1, 1, this.#gl.RGBA, this.#gl.UNSIGNED_BYTE, bytes)
    return [bytes[0]!, bytes[1]!, bytes[2]!]
  }

  free(): void {
    this.#freeSheet()
    this.lose()
  }

  #place(name: string): WebGLUniformLocation | null {
    return this.#cells!.place(name)
  }

  #bind(unit: number, texture: WebGLTexture): void {
    this.#gl.activeTexture(this.#gl.TEXTURE0 + unit)
    this.#gl.bindTexture(this.#gl.TEXTURE_2D, texture)
  }

  #clear(ground: Rgb): void {
    this.#gl.clearColor(ground[0] / 255, ground[1] / 255, ground[2] / 255, 1)
    this.#gl.clear(this.#gl.COLOR_BUFFER_BIT)
  }

  #makeSheet(width: number, height: number): void {
    if (this.#sheet?.width === width && this.#sheet.height === height) return
    this.#freeSheet()
    const gl = this.#gl
    const texture = this.#textures.make()
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA8, width, height)
    const frame = gl.createFramebuffer()
    gl.bindFramebuffer(gl.FRAMEBUFFER, frame)
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0)
    this.#sheet = { texture, frame, width, height }
  }

  #freeSheet(): void {
    if (this.#sheet === null) return
    this.#gl.deleteFramebuffer(this.#sheet.frame)
    this.#gl.deleteTexture(this.#sheet.texture)
    this.#sheet = null
  }

  #prepare(): void {
    const gl = this.#gl
    if (gl.isContextLost()) return
    this.#cells = new Program(gl, vertexShader, cellShader)
    this.#layout = new Program(gl, vertexShader, sheetShader)
    for (const program of [this.#cells, this.#layout]) {
      program.use()
      for (const [name, unit] of Object.entries(units)) gl.uniform1i(program.place(name), unit)
    }
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1)
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA)
  }
}
