// The slider's scale: equal ratios are equal distances, so that 1.2 and 1.4 bits are as far apart as 6 and 7. Pure.
import { budgetKinds, type Budget, type Curve } from '../../../electron/contract/curve.ts'
import { bits, size } from '../../../electron/contract/quantities.ts'

export type Scale = { by: Budget['by']; least: number; most: number }

/** From the smallest point of all methods to the largest; null without any. */
export function scaleOf(curves: readonly Pick<Curve, 'points'>[], by: Budget['by']): Scale | null {
  const sizes = curves.flatMap(({ points }) => points.map((point) => point[by]))
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)]
  return sizes.length > 0 && most > least ? { by, least, most } : null
}

/** 0 at the left end, 1 at the right one. */
export const toShare = (value: number, { least, most }: Scale): number =>
  Math.min(1, Math.max(0, Math.log(value / least) / Math.log(most / least)))

export const toValue = (share: number, { least, most }: Scale): number => least * (most / least) ** share

const nice = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8]
/** As a share of the scale: labels need that much room. */
const room = 0.09

/** Round values along the scale, none too near to the one before. */
export function ticksOf(scale: Scale): number[] {
  const ticks: number[] = []
  let before = -room
  for (let power = 10 ** Math.floor(Math.log10(scale.least)); power <= scale.most; power *= 10) {
    for (const digit of nice) {
      const value = digit * power
      const share = value < scale.least || value > scale.most ? null : toShare(value, scale)
      if (share === null || share - before < room) continue
      ticks.push(value)
      before = share
    }
  }
  return ticks
}

export const tickText = (value: number, { by }: Scale): string =>
  by === 'linear'
    ? String(Number(value.toFixed(2)))
    : size(value)
        .replace(/\.0+ /, ' ')
        .replace(/(\.[1-9])0 /, '$1 ')

export const valueText = (value: number, by: Budget['by']): string =>
  by === 'linear' ? `${bits(value)} linear bits` : `${size(value)} of files`

/** What a budget of about this size is typed in. */
export function unitOf(by: Budget['by'], value: number): { name: string; bytes: number; digits: number } {
  if (by === 'linear') return { name: 'bits', bytes: 1, digits: 2 }
  return value >= 1e9 ? { name: 'GB', bytes: 1e9, digits: 3 } : { name: 'MB', bytes: 1e6, digits: 3 }
}

export const kindLabels: Record<Budget['by'], string> = { linear: 'Linear bits', file_bytes: 'File size' }
export const kinds = budgetKinds.map((value) => ({ value, label: kindLabels[value] }))
