// Tiles and colour tables on the graphics card: what was used last stays, up to so many bytes.
import { presenceIn, rowWords, type Packing } from '../../../electron/contract/packed-tile.ts'
import type { Shape } from '../../../electron/contract/pictures.ts'
import type { Table } from '../colours.ts'
import type { TileData } from './tile-store.ts'

/** `weights`: of a packed tile. */
export type TileForm = { cells: Shape; packing: Packing | null; weights: Shape }
/** `flags`: of a packed tile, which of its weights have a number; null where all have. */
export type TileTexture = { texture: WebGLTexture; flags: WebGLTexture | null; flagRows: number }
type Kept = TileTexture & { data: TileData; bytes: number }

const mostBytes = 2 ** 27
const mostTables = 64
const spareUnit = 7

export class Textures {
  #gl: WebGL2RenderingContext
  #tiles = new Map<string, Kept>()
  #tables = new Map<Table, WebGLTexture>()
  #bytes = 0

  constructor(gl: WebGL2RenderingContext) {
    this.#gl = gl
  }

  /** Whether these very data are there. */
  holds(key: string, data: TileData): boolean {
    return this.#tiles.get(key)?.data === data
  }

  tile(key: string, data: TileData, form: TileForm): TileTexture {
    const known = this.#tiles.get(key)
    if (known) {
      // Last in the map is used last.
      this.#tiles.delete(key)
      if (known.data === data) {
        this.#tiles.set(key, known)
        return known
      }
      this.#free(known)
    }
    const made: Kept = { ...this.#upload(data, form), data, bytes: data.byteLength }
    this.#tiles.set(key, made)
    this.#bytes += made.bytes
    for (const [old, kept] of this.#tiles) {
      if (this.#bytes <= mostBytes || old === key) break
      this.#tiles.delete(old)
      this.#free(kept)
    }
    return made
  }

  table(table: Table): WebGLTexture {
    const known = this.#tables.get(table)
    if (known) return known
    const gl = this.#gl
    if (this.#tables.size > mostTables) {
      for (const old of this.#tables.values()) gl.deleteTexture(old)
      this.#tables.clear()
    }
    const texture = this.make()
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, table)
    this.#tables.set(table, texture)
    return texture
  }

  free(): void {
    for (const kept of this.#tiles.values()) this.#free(kept)
    for (const texture of this.#tables.values()) this.#gl.deleteTexture(texture)
    this.#tiles.clear()
    this.#tables.clear()
    this.#bytes = 0
  }

  #free({ texture, flags, bytes }: Kept): void {
    this.#gl.deleteTexture(texture)
    if (flags) this.#gl.deleteTexture(flags)
    this.#bytes -= bytes
  }

  #upload(data: TileData, { cells, packing, weights }: TileForm): TileTexture {
    const gl = this.#gl
    if (data instanceof Uint32Array && packing) {
      const { width } = packing
      const presence = presenceIn(data.length, weights, width)
      const texture = this.#words(data, 0, weights.rows, rowWords(weights.columns, width))
      if (presence.rows === 0) return { texture, flags: null, flagRows: 0 }
      const flags = this.#words(data, presence.begin, presence.rows, rowWords(weights.columns, 1))
      return { texture, flags, flagRows: presence.rows }
    }
    const texture = this.make()
    const { rows, columns } = cells
    if (data instanceof Uint8Array) {
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.R8, columns, rows, 0, gl.RED, gl.UNSIGNED_BYTE, data)
    } else if (data instanceof Float32Array) {
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.R32F, columns, rows, 0, gl.RED, gl.FLOAT, data)
    }
    return { texture, flags: null, flagRows: 0 }
  }

  #words(words: Uint32Array<ArrayBuffer>, begin: number, rows: number, columns: number): WebGLTexture {
    const gl = this.#gl
    const texture = this.make()
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R32UI, columns, rows, 0, gl.RED_INTEGER, gl.UNSIGNED_INT, words, begin)
    return texture
  }

  /** An empty one, bound, whose pixels are taken as they are. */
  make(): WebGLTexture {
    const gl = this.#gl
    const texture = gl.createTexture()
    // No sampler looks there: one of the other type, of numbers or of bits, would make every drawing an error.
    gl.activeTexture(gl.TEXTURE0 + spareUnit)
    gl.bindTexture(gl.TEXTURE_2D, texture)
    for (const side of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, side, gl.NEAREST)
    for (const edge of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, edge, gl.CLAMP_TO_EDGE)
    return texture
  }
}
