// Histograms of weights as outlines, the original's behind and the quantized one's before it, on one scale. Pure.
import type { Histogram } from '../../../electron/contract/lab.ts'

/** Heights grow with the square root: a few levels hold most of the weights, and the rest are to be seen too. */
export const heightOf = (count: number, most: number): number => (most > 0 ? Math.sqrt(count / most) : 0)

export const mostOf = (...histograms: readonly (Histogram | null)[]): number =>
  Math.max(0, ...histograms.flatMap((one) => one?.counts ?? []))

/** As an SVG path in a box of `width` x `height`, steps from bin to bin; '' where there are no bins. */
export function outline({ counts }: Pick<Histogram, 'counts'>, most: number, width: number, height: number): string {
  if (counts.length === 0) return ''
  const step = width / counts.length
  const at = (value: number) => Number(value.toFixed(2))
  const tops = counts.map((count, k) => {
    const y = at(height * (1 - heightOf(count, most)))
    return `L${at(k * step)} ${y}L${at((k + 1) * step)} ${y}`
  })
  return `M0 ${height}${tops.join('')}L${width} ${height}Z`
}

/** Where a value lies across the box, 0 to 1; null outside of it. */
export function placeOf(value: number, { low, high }: Pick<Histogram, 'low' | 'high'>): number | null {
  if (!(high > low) || value < low || value > high) return null
  return (value - low) / (high - low)
}
