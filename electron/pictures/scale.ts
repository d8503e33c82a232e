// How large the weights and the errors of a linear are, from some of its rows: what a colour scale is fitted to.
import type { PictureScale, Shape } from '../contract/pictures.ts'
import { hasOriginal, type OpenRun } from './open-run.ts'
import { pictureRows } from './rows.ts'
import type { Pause } from './turns.ts'

const sampledWeights = 2 ** 18
const inside = 0.999

export async function readScale(run: OpenRun, linear: string, shape: Shape, pause: Pause): Promise<PictureScale> {
  const weights: Float32Array[] = []
  const errors: Float32Array[] = []
  for (const first of sampledRows(shape)) {
    const range = { first, count: 1 }
    weights.push(await pictureRows(run, linear, hasOriginal(run) ? 'original' : 'quantized', range))
    if (hasOriginal(run)) errors.push(await pictureRows(run, linear, 'error', range))
    await pause()
    run.check()
  }
  return { weight: sizeOf(weights), error: hasOriginal(run) ? sizeOf(errors) : null }
}

/** Evenly spaced, the first among them, and no more weights than a person waits for. */
export function sampledRows({ rows, columns }: Shape): number[] {
  const count = Math.min(rows, Math.max(1, Math.floor(sampledWeights / columns)))
  return Array.from({ length: count }, (_, k) => Math.floor((k * rows) / count))
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
