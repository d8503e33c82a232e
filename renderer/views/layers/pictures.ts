// What one weight is, asked of the program around the window.
import { cellPath, cellSchema, type Cell } from '../../../electron/contract/pictures.ts'
import { getPicture } from '../../parts/tiles.ts'

/** Null when there is none, or nobody asks any more. */
export async function loadCell(
  run: number,
  linear: string,
  { row, column }: { row: number; column: number },
  signal: AbortSignal,
): Promise<Cell | null> {
  try {
    const response = await getPicture(cellPath(run, linear, row, column), signal)
    return cellSchema.parse(await response.json())
  } catch {
    return null
  }
}
