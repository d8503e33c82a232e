// Tiles on their way and tiles at hand, for all viewers of a window. What nobody looks at any more is not waited for.
import type { Problem } from '../../../electron/contract/errors.ts'
import { encodingOf, type PictureKind } from '../../../electron/contract/pictures.ts'

export type TileData = Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>
/** The bytes at a path of contract/pictures.ts; rejects with a Problem, or anything else where the fetch was given up. */
export type LoadTile = (path: string, signal: AbortSignal) => Promise<ArrayBuffer>
export type Wanted = { path: string; kind: PictureKind }

const mostAtOnce = 6

export class TileStore {
  #load: LoadTile
  #limit: number
  #bytes = 0
  #tiles = new Map<string, TileData>()
  #problems = new Map<string, Problem>()
  #wanted = new Map<object, readonly Wanted[]>()
  #underway = new Map<string, AbortController>()
  #listeners = new Set<() => void>()

  /** `limit`: bytes that are kept. */
  constructor(load: LoadTile, limit = 2 ** 27) {
    this.#load = load
    this.#limit = limit
  }

  get(path: string): TileData | null {
    const tile = this.#tiles.get(path)
    if (tile === undefined) return null
    // Last in the map is used last.
    this.#tiles.delete(path)
    this.#tiles.set(path, tile)
    return tile
  }

  has(path: string): boolean {
    return this.#tiles.has(path)
  }

  problem(path: string): Problem | null {
    return this.#problems.get(path) ?? null
  }

  /** What a viewer needs now, most urgent first; replaces what it needed before. Nothing: it is gone. */
  want(viewer: object, wanted: readonly Wanted[]): void {
    if (wanted.length === 0) this.#wanted.delete(viewer)
    else this.#wanted.set(viewer, wanted)
    const all = new Set([...this.#wanted.values()].flatMap((list) => list.map(({ path }) => path)))
    for (const [path, controller] of this.#underway) if (!all.has(path)) controller.abort()
    this.#pump()
  }

  /** Called whenever a tile or a problem came. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Problems are not asked for again until then. */
  retry(): void {
    this.#problems.clear()
    this.#pump()
    for (const listener of this.#listeners) listener()
  }

  #pump(): void {
    // Viewers take turns, each with its most urgent tile.
    const lists = [...this.#wanted.values()]
    const longest = Math.max(0, ...lists.map(({ length }) => length))
    for (let k = 0; k < longest; k++) {
      for (const list of lists) {
        if (this.#underway.size >= mostAtOnce) return
        const one = list[k]
        if (one && !this.#tiles.has(one.path) && !this.#problems.has(one.path)) void this.#fetch(one)
      }
    }
  }

  async #fetch({ path, kind }: Wanted): Promise<void> {
    if (this.#underway.has(path)) return
    const controller = new AbortController()
    this.#underway.set(path, controller)
    try {
      const bytes = await this.#load(path, controller.signal)
      this.#keep(path, encodingOf(kind) === 'share' ? new Uint8Array(bytes) : new Float32Array(bytes))
    } catch (error) {
      if (!controller.signal.aborted) this.#problems.set(path, problemOf(error))
    }
    this.#underway.delete(path)
    this.#pump()
    for (const listener of this.#listeners) listener()
  }

  #keep(path: string, tile: TileData): void {
    this.#tiles.set(path, tile)
    this.#bytes += tile.byteLength
    for (const [old, { byteLength }] of this.#tiles) {
      if (this.#bytes <= this.#limit || old === path) break
      this.#tiles.delete(old)
      this.#bytes -= byteLength
    }
  }
}

function problemOf(error: unknown): Problem {
  const problem = error as Partial<Problem> | null
  if (typeof problem?.code === 'string' && typeof problem.message === 'string') {
    return { code: problem.code, message: problem.message }
  }
  return { code: 'internal', message: `This picture cannot be loaded: ${String(error)}` }
}
