// Weights on their way into a CSV file: read tile by tile, told how far, given up when asked.
import { tilePath } from '../../../electron/contract/pictures.ts'
import { notices } from '../../client/notices.svelte.ts'
import { saveFile } from '../../client/saving.ts'
import { csvBytes } from '../../drawing/csv.ts'
import type { Pane } from '../../drawing/matrix/pane.ts'
import { getPicture } from '../../parts/tiles.ts'
import { fileName } from './choices.ts'
import { lineTable, partTable, tileData, tilesOf, tooLarge, valueAt, type Part, type Tile } from './values-table.ts'

export class SavedValues {
  /** 0 to 1; null: nothing is being read. */
  share = $state<number | null>(null)
  #asking: AbortController | null = null

  cancel(): void {
    this.#asking?.abort()
  }

  /** `what`: which part it is, for the file's name. */
  async save(pane: Pane, part: Part, what: string): Promise<void> {
    const { linear, kind } = pane
    const line = part.rows.first === part.rows.last || part.columns.first === part.columns.last
    const refused = tooLarge(part)
    if (refused) return notices.say(refused)
    const tiles = await this.#read(pane, part)
    if (tiles === null) return
    const at = valueAt(linear, kind, tiles)
    const table = line ? lineTable(kind, part, at) : partTable(part, at)
    await saveFile(fileName(pane.title, linear.name, `${kind}-${what}`, 'csv'), csvBytes(table))
  }

  /** Null: it was given up, or went wrong, which is said. */
  async #read({ run, linear, kind }: Pane, part: Part): Promise<Tile[] | null> {
    this.cancel()
    const { signal } = (this.#asking = new AbortController())
    const places = tilesOf(linear, kind, part)
    const tiles: Tile[] = []
    try {
      for (const place of places) {
        this.share = tiles.length / places.length
        const bytes = await (await getPicture(tilePath(run, linear.name, kind, place), signal)).arrayBuffer()
        tiles.push({ place, data: tileData(linear, kind, bytes) })
      }
      return tiles
    } catch (error) {
      if (!signal.aborted) notices.say((error as Error).message)
      return null
    } finally {
      this.share = null
    }
  }
}
