import type { PictureScale } from '../../../electron/contract/pictures.ts'

/** Wide enough for all that are known. */
export function sharedScale(scales: readonly (PictureScale | null)[]): PictureScale | null {
  const known = scales.filter((scale) => scale !== null)
  if (known.length === 0) return null
  const errors = known.map(({ error }) => error).filter((error) => error !== null)
  return {
    weight: Math.max(...known.map(({ weight }) => weight)),
    error: errors.length === 0 ? null : Math.max(...errors),
  }
}
