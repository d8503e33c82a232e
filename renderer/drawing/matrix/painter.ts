// Draws tiles with WebGL2. Textures live here and come back by themselves after the graphics card was lost.
import type { Rgb, Table } from '../colours.ts'
import { fragmentShader, vertexShader } from './shaders.ts'
import type { TileData } from './tile-store.ts'

/** Device pixels. */
type Rectangle = readonly [left: number, top: number, right: number, bottom: number]

export type Coat = {
  table: Table
  low: number
  high: number
  size: boolean
  /** Of cells without a value; null: what lies below is seen. */
  none: Rgb | null
}
export type TileDrawing = {
  key: string
  data: TileData
  cells: { rows: number; columns: number }
  rectangle: Rectangle
  /** Of the tile's first cell. */
  origin: readonly [x: number, y: number]
  /** Device pixels of a cell of the tile. */
  cell: number
}

const textureBytes = 2 ** 27
const uniforms = ['rectangle', 'size', 'origin', 'cell', 'cells', 'share', 'sized', 'range', 'none', 'tile', 'colours']

export class Painter {
  #gl: WebGL2RenderingContext
  #at = new Map<string, WebGLUniformLocation | null>()
  #textures = new Map<string, { texture: WebGLTexture; bytes: number }>()
  #tables = new Map<Table, WebGLTexture>()
  #bytes = 0
  #ready = false

  /** Null: this machine has no WebGL2. */
  static of(canvas: HTMLCanvasElement): Painter | null {
    const gl = canvas.getContext('webgl2', { alpha: false, antialias: false, depth: false, stencil: false })
    return gl && new Painter(gl)
  }

  private constructor(gl: WebGL2RenderingContext) {
    this.#gl = gl
    this.#prepare()
  }

  /** False while the graphics card is away. */
  get usable(): boolean {
    return this.#ready && !this.#gl.isContextLost()
  }

  lose(): void {
    this.#ready = false
    this.#textures.clear()
    this.#tables.clear()
    this.#bytes = 0
  }

  restore(): void {
    this.#prepare()
  }

  begin(width: number, height: number, ground: Rgb): void {
    const gl = this.#gl
    gl.viewport(0, 0, width, height)
    gl.uniform2f(this.#place('size'), width, height)
    gl.clearColor(ground[0] / 255, ground[1] / 255, ground[2] / 255, 1)
    gl.clear(gl.COLOR_BUFFER_BIT)
  }

  /** For the tiles that follow. */
  coat({ table, low, high, size, none }: Coat): void {
    const gl = this.#gl
    gl.uniform2f(this.#place('range'), low, high)
    gl.uniform1i(this.#place('sized'), size ? 1 : 0)
    const [red, green, blue] = none ?? [0, 0, 0]
    gl.uniform4f(this.#place('none'), red / 255, green / 255, blue / 255, none ? 1 : 0)
    gl.activeTexture(gl.TEXTURE1)
    gl.bindTexture(gl.TEXTURE_2D, this.#tableTexture(table))
  }

  tile({ key, data, cells, rectangle, origin, cell }: TileDrawing): void {
    const gl = this.#gl
    gl.activeTexture(gl.TEXTURE0)
    gl.bindTexture(gl.TEXTURE_2D, this.#texture(key, data, cells))
    gl.uniform1i(this.#place('share'), data instanceof Uint8Array ? 1 : 0)
    gl.uniform4f(this.#place('rectangle'), ...rectangle)
    gl.uniform2f(this.#place('origin'), ...origin)
    gl.uniform1f(this.#place('cell'), cell)
    gl.uniform2i(this.#place('cells'), cells.columns, cells.rows)
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4)
  }

  /** Of what was drawn just now; from the upper left corner. */
  pixel(x: number, y: number, height: number): Rgb {
    const bytes = new Uint8Array(4)
    this.#gl.readPixels(x, height - 1 - y, 1, 1, this.#gl.RGBA, this.#gl.UNSIGNED_BYTE, bytes)
    return [bytes[0]!, bytes[1]!, bytes[2]!]
  }

  free(): void {
    for (const { texture } of this.#textures.values()) this.#gl.deleteTexture(texture)
    for (const texture of this.#tables.values()) this.#gl.deleteTexture(texture)
    this.lose()
  }

  #place(name: string): WebGLUniformLocation | null {
    return this.#at.get(name) ?? null
  }

  #prepare(): void {
    const gl = this.#gl
    if (gl.isContextLost()) return
    const program = gl.createProgram()
    for (const [type, source] of [
      [gl.VERTEX_SHADER, vertexShader],
      [gl.FRAGMENT_SHADER, fragmentShader],
    ] as const) {
      const shader = gl.createShader(type)!
      gl.shaderSource(shader, source)
      gl.compileShader(shader)
      gl.attachShader(program, shader)
      if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS) && !gl.isContextLost()) {
        throw new Error(gl.getShaderInfoLog(shader) ?? 'a shader does not compile')
      }
    }
    gl.linkProgram(program)
    gl.useProgram(program)
    for (const name of uniforms) this.#at.set(name, gl.getUniformLocation(program, name))
    gl.uniform1i(this.#place('tile'), 0)
    gl.uniform1i(this.#place('colours'), 1)
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1)
    gl.enable(gl.BLEND)
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA)
    this.#ready = true
  }

  #texture(key: string, data: TileData, { rows, columns }: { rows: number; columns: number }): WebGLTexture {
    const known = this.#textures.get(key)
    if (known) {
      // Last in the map is used last.
      this.#textures.delete(key)
      this.#textures.set(key, known)
      return known.texture
    }
    const gl = this.#gl
    const texture = this.#newTexture()
    if (data instanceof Uint8Array) {
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.R8, columns, rows, 0, gl.RED, gl.UNSIGNED_BYTE, data)
    } else gl.texImage2D(gl.TEXTURE_2D, 0, gl.R32F, columns, rows, 0, gl.RED, gl.FLOAT, data)
    this.#textures.set(key, { texture, bytes: data.byteLength })
    this.#bytes += data.byteLength
    for (const [old, { texture: oldTexture, bytes }] of this.#textures) {
      if (this.#bytes <= textureBytes || old === key) break
      gl.deleteTexture(oldTexture)
      this.#textures.delete(old)
      this.#bytes -= bytes
    }
    return texture
  }

  #tableTexture(table: Table): WebGLTexture {
    const known = this.#tables.get(table)
    if (known) return known
    const gl = this.#gl
    if (this.#tables.size > 64) {
      for (const old of this.#tables.values()) gl.deleteTexture(old)
      this.#tables.clear()
    }
    const texture = this.#newTexture()
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, table)
    this.#tables.set(table, texture)
    return texture
  }

  #newTexture(): WebGLTexture {
    const gl = this.#gl
    const texture = gl.createTexture()
    gl.bindTexture(gl.TEXTURE_2D, texture)
    for (const side of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, side, gl.NEAREST)
    for (const edge of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, edge, gl.CLAMP_TO_EDGE)
    return texture
  }
}
