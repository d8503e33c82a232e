// Tiles on their way and tiles at hand, for all viewers of a window. What nobody looks at any more is not waited for.
import type { Problem } from '../../../electron/contract/errors.ts'
import { atOnce } from '../../../electron/contract/pictures.ts'

/** Values, shares, or packed bits (electron/contract). */
export type TileData = Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer>
export type TileEncoding = 'value' | 'share' | 'packed'
/** `sampled`: the share of the rows that it was made from; null: it is exact. */
export type LoadedTile = { bytes: ArrayBuffer; sampled: number | null }
/** What lies at a path of contract/pictures.ts; rejects with a Problem, or anything else where the fetch was given up. */
export type LoadTile = (path: string, signal: AbortSignal) => Promise<LoadedTile>
/** `coarse`: it may be made from a sample of the rows first. */
export type Wanted = { path: string; encoding: TileEncoding; coarse: boolean }
type Kept = { data: TileData; sampled: number | null }

const mostAtOnce = 6
/** Exact ones, in place of samples, are waited for beside the others. */
const mostExact = 4

export class TileStore {
  #load: LoadTile
  #limit: number
  #bytes = 0
  #tiles = new Map<string, Kept>()
  #problems = new Map<string, Problem>()
  #wanted = new Map<object, readonly Wanted[]>()
  #underway = new Map<string, { controller: AbortController; exact: boolean }>()
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
    return tile.data
  }

  has(path: string): boolean {
    return this.#tiles.has(path)
  }

  /** The share of the rows that the tile was made from; null where it is exact, or not there. */
  sampled(path: string): number | null {
    return this.#tiles.get(path)?.sampled ?? null
  }

  problem(path: string): Problem | null {
    return this.#problems.get(path) ?? null
  }

  /** What a viewer needs now, most urgent first; replaces what it needed before. Nothing: it is gone. */
  want(viewer: object, wanted: readonly Wanted[]): void {
    if (wanted.length === 0) this.#wanted.delete(viewer)
    else this.#wanted.set(viewer, wanted)
    const all = new Set([...this.#wanted.values()].flatMap((list) => list.map(({ path }) => path)))
    for (const [path, { controller }] of this.#underway) if (!all.has(path)) controller.abort()
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
    // Viewers take turns, each with its most urgent tile; first whatever is not there at all.
    const lists = [...this.#wanted.values()]
    const longest = Math.max(0, ...lists.map(({ length }) => length))
    for (const exact of [false, true]) {
      for (let k = 0; k < longest; k++) {
        for (const list of lists) {
          if (this.#busy(exact) >= (exact ? mostExact : mostAtOnce)) break
          const one = list[k]
          if (one && !this.#problems.has(one.path) && this.#lacks(one.path, exact)) void this.#fetch(one, exact)
        }
      }
    }
  }

  #busy(exact: boolean): number {
    let count = 0
    for (const one of this.#underway.values()) if (one.exact === exact) count += 1
    return count
  }

  #lacks(path: string, exact: boolean): boolean {
    return exact ? this.sampled(path) !== null : !this.#tiles.has(path)
  }

  async #fetch({ path, encoding, coarse }: Wanted, exact: boolean): Promise<void> {
    if (this.#underway.has(path)) return
    const controller = new AbortController()
    this.#underway.set(path, { controller, exact })
    try {
      const { bytes, sampled } = await this.#load(coarse && !exact ? atOnce(path) : path, controller.signal)
      this.#keep(path, { data: dataOf(encoding, bytes), sampled })
    } catch (error) {
      if (!controller.signal.aborted) this.#problems.set(path, problemOf(error))
    }
    this.#underway.delete(path)
    this.#pump()
    for (const listener of this.#listeners) listener()
  }

  #keep(path: string, tile: Kept): void {
    this.#bytes += tile.data.byteLength - (this.#tiles.get(path)?.data.byteLength ?? 0)
    this.#tiles.set(path, tile)
    for (const [old, { data }] of this.#tiles) {
      if (this.#bytes <= this.#limit || old === path) break
      this.#tiles.delete(old)
      this.#bytes -= data.byteLength
    }
  }
}

function dataOf(encoding: TileEncoding, bytes: ArrayBuffer): TileData {
  if (encoding === 'packed') return new Uint32Array(bytes)
  return encoding === 'share' ? new Uint8Array(bytes) : new Float32Array(bytes)
}

function problemOf(error: unknown): Problem {
  const problem = error as Partial<Problem> | null
  if (typeof problem?.code === 'string' && typeof problem.message === 'string') {
    return { code: problem.code, message: problem.message }
  }
  return { code: 'internal', message: `This picture cannot be loaded: ${String(error)}` }
}
