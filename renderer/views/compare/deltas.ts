// How far a number is from the baseline's. Less is better, unless a column says that more is.
export type DeltaKind =
  /** In percent of the baseline: sizes, times. */
  | 'relative'
  /** In the column's own unit: bits, perplexities, errors. */
  | 'absolute'
export type Verdict = 'better' | 'worse' | 'same'
export type Delta = { text: string; verdict: Verdict }

/** Null where there is nothing to compare, or no share of nothing. `digits`: behind the point, of absolute ones. */
export function delta(
  value: number | null,
  base: number | null,
  kind: DeltaKind,
  digits = 2,
  more = false,
): Delta | null {
  if (value === null || base === null || !Number.isFinite(value) || !Number.isFinite(base)) return null
  const change = value - base
  if (change === 0) return { text: '=', verdict: 'same' }
  const verdict = change < 0 !== more ? 'better' : 'worse'
  if (kind === 'absolute') return { text: signed(change, digits), verdict }
  return base === 0 ? null : { text: `${signedPercent((100 * change) / Math.abs(base))} %`, verdict }
}

/** Never shorter than its sign: a change that rounds to nothing keeps it, since it is one. */
const signed = (change: number, digits: number): string => {
  const size = Math.abs(change)
  return sign(change) + (size >= 1e5 ? size.toExponential(1) : size.toFixed(size >= 1000 ? 0 : digits))
}

const signedPercent = (percent: number): string => {
  const size = Math.abs(percent)
  return sign(percent) + (size >= 1e5 ? size.toExponential(1) : size.toFixed(size >= 99.95 ? 0 : 1))
}

const sign = (change: number) => (change < 0 ? '\u2212' : '+')
