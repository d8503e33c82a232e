// How large the weights and the errors of a linear are, from some of its rows: what a colour scale is fitted to.
import type { PictureScale, Shape } from '../contract/pictures.ts'
import type { RowRange } from '../packed/parts.ts'
import { hasOriginal, type OpenRun } from './open-run.ts'
import { pictureRows } from './rows.ts'
import type { Pause } from './turns.ts'

/** A person waits for no more than these; they are read in so many places. */
const sampledWeights = 2 ** 18
const places = 16
const inside = 0.999

export async function readScale(run: OpenRun, linear: string, shape: Shape, pause: Pause): Promise<PictureScale> {
  const weights: Float32Array[] = []
  const errors: Float32Array[] = []
  for (const range of sampledRows(shape)) {
    const quantized = await pictureRows(run, linear, 'quantized', range)
    if (hasOriginal(run)) {
      const original = await pictureRows(run, linear, 'original', range)
      weights.push(original)
      errors.push(quantized.map((value, k) => value - original[k]!))
    } else weights.push(quantized)
    await pause()
    run.check()
  }
  return { weight: sizeOf(weights), error: hasOriginal(run) ? sizeOf(errors) : null }
}

/** Neighbouring rows, which are read in one go, from all over the matrix; all rows where they are not too many. */
export function sampledRows({ rows, columns }: Shape): RowRange[] {
  const count = Math.max(1, Math.floor(sampledWeights / places / columns))
  const apart = Math.max(count, rows / places)
  const ranges: RowRange[] = []
  for (let k = 0; Math.floor(k * apart) < rows; k++) {
    const first = Math.floor(k * apart)
    ranges.push({ first, count: Math.min(count, rows - first) })
  }
  return ranges
}

/** The 99.9 % quantile of the sizes; where that is 0, the largest. */
export function sizeOf(parts: readonly Float32Array[]): number {
  const sizes = new Float32Array(parts.reduce((total, { length }) => total + length, 0))
  let count = 0
  for (const part of parts) {
    for (const value of part) if (Number.isFinite(value)) sizes[count++] = Math.abs(value)
  }
  const sorted = sizes.subarray(0, count).sort()
  return sorted[Math.ceil(inside * count) - 1] || (sorted[count - 1] ?? 0)
}
