// Bytes of pictures, from the program around the window: the same origin, no bridge in between.
import { cellPath, cellSchema, type Cell } from '../../../electron/contract/pictures.ts'
import { TileStore } from '../../drawing/matrix/tile-store.ts'

async function get(path: string, signal: AbortSignal): Promise<Response> {
  const response = await fetch(path, { signal })
  if (response.ok) return response
  throw await response.json().catch(() => ({ code: 'internal', message: `${path} was answered ${response.status}.` }))
}

/** For all viewers of the window. */
export const tiles = new TileStore(async (path, signal) => (await get(path, signal)).arrayBuffer())

/** Null when there is none, or nobody asks any more. */
export async function loadCell(
  run: number,
  linear: string,
  { row, column }: { row: number; column: number },
  signal: AbortSignal,
): Promise<Cell | null> {
  try {
    const response = await get(cellPath(run, linear, row, column), signal)
    return cellSchema.parse(await response.json())
  } catch {
    return null
  }
}
