// The blocks of a linear by their error, and which of them is looked at.
import type { Problem } from '../../../electron/contract/errors.ts'
import { tilePath, type PicturedLinear } from '../../../electron/contract/pictures.ts'
import { getPicture } from '../../parts/tiles.ts'
import { blocksByError, tilesOfBlocks, type Block } from './block-errors.ts'

export class Blocks {
  /** The worst first; null until they are known. */
  list = $state.raw<readonly Block[] | null>(null)
  problem = $state.raw<Problem | null>(null)
  /** Place in the list; null: none is looked at. */
  at = $state<number | null>(null)
  here = $derived(this.at === null ? null : (this.list?.[this.at] ?? null))
  #key = ''
  #loading: Promise<void> = Promise.resolve()
  #asking = new AbortController()

  /** What is known of another linear goes. */
  reset(): void {
    this.#asking.abort()
    this.#key = ''
    this.list = this.problem = this.at = null
  }

  load(run: number, linear: PicturedLinear): Promise<void> {
    const key = `${run}/${linear.name}`
    if (key === this.#key) return this.#loading
    this.reset()
    this.#key = key
    this.#asking = new AbortController()
    return (this.#loading = this.#read(run, linear, this.#asking.signal))
  }

  /** The worst, then the next worst, round and round; null while they are not known. */
  next(): Block | null {
    if (!this.list || this.list.length === 0) return null
    this.at = this.at === null ? 0 : (this.at + 1) % this.list.length
    return this.here
  }

  async #read(run: number, linear: PicturedLinear, signal: AbortSignal): Promise<void> {
    try {
      const tiles: Float32Array[] = []
      for (const place of tilesOfBlocks(linear)) {
        const response = await getPicture(tilePath(run, linear.name, 'error', place), signal)
        tiles.push(new Float32Array(await response.arrayBuffer()))
      }
      if (!signal.aborted) this.list = blocksByError(linear, tiles)
    } catch (error) {
      if (!signal.aborted) this.problem = error as Problem
    }
  }
}
