// What is known of a text's losses so far, and what is drawn of it: differences, their scale, their histogram. Pure.
import { notPredicted, type TokenLosses } from '../../../electron/contract/token-losses.ts'

/** Whom a run's losses stand beside: its original, or another run. */
export type Beside = 'original' | number

/** Every array has one entry for each position; losses that are not there, or not there yet, are NaN. */
export type Losses = {
  positions: number
  /** Tokens of a window, and its first ones that nothing predicts. */
  window: number
  unpredicted: number
  /** Positions that are known, from 0 on. */
  loaded: number
  tokens: Uint32Array
  pieces: string[]
  losses: Float32Array
  others: ReadonlyMap<Beside, Float32Array>
  kld: Float32Array | null
  /** 1: both models think the same token most likely. */
  sameTop: Uint8Array | null
}

const unknown = (positions: number) => new Float32Array(positions).fill(Number.NaN)

export const fresh = ({ positions, window, unpredicted }: TokenLosses): Losses => ({
  positions,
  window,
  unpredicted,
  loaded: 0,
  tokens: new Uint32Array(positions),
  pieces: Array.from({ length: positions }, () => ''),
  losses: unknown(positions),
  others: new Map(),
  kld: null,
  sameTop: null,
})

/** With one more answer. The arrays are the same ones, filled further; the object is another. */
export function withAnswer(known: Losses, answer: TokenLosses, beside: Beside): Losses {
  const { from, tokens, pieces, losses, other_losses, kld, same_top } = answer
  const { positions } = known
  const others = new Map(known.others)
  const mine = others.get(beside) ?? unknown(positions)
  mine.set(other_losses, from)
  others.set(beside, mine)
  known.tokens.set(tokens, from)
  for (const [i, piece] of pieces.entries()) known.pieces[from + i] = piece
  known.losses.set(losses, from)
  let [klds, tops] = [known.kld, known.sameTop]
  if (kld) (klds ??= unknown(positions)).set(kld, from)
  if (same_top) (tops ??= new Uint8Array(positions).fill(notPredicted)).set(same_top, from)
  const loaded = Math.max(known.loaded, from + tokens.length)
  return { ...known, others, kld: klds, sameTop: tops, loaded }
}

/** Nats that the run loses more than the other at a position; NaN where nothing is predicted or known. */
export const differenceAt = ({ losses, others }: Losses, beside: Beside, position: number): number =>
  losses[position]! - (others.get(beside)?.[position] ?? Number.NaN)

/** Positions [from, end) in rows that are drawn together; none reaches over the end of a window. */
export type Row = { from: number; end: number }

export function rowsOf({ positions, window }: Pick<Losses, 'positions' | 'window'>, most = 128): Row[] {
  const rows: Row[] = []
  for (let start = 0; start < positions; start += window) {
    const end = Math.min(positions, start + window)
    for (let from = start; from < end; from += most) rows.push({ from, end: Math.min(end, from + most) })
  }
  return rows
}

const niceScales = [0.25, 0.5, 1, 2, 4, 8, 16]

/** Nats at which a colour is full: hardly one difference in fifty is larger. */
export function scaleOf(differences: readonly number[]): number {
  // Of a long text every so many-th tells as much.
  const stride = Math.ceil(differences.length / 20_000)
  const some = stride > 1 ? differences.filter((_, k) => k % stride === 0) : differences
  const sizes = some.map(Math.abs).toSorted((a, b) => a - b)
  const large = sizes[Math.floor(0.98 * (sizes.length - 1))] ?? 1
  return niceScales.find((one) => one >= large) ?? niceScales.at(-1)!
}

/** Differences of all predicted tokens that are known. */
export function differencesOf(losses: Losses, beside: Beside): number[] {
  const all: number[] = []
  for (let position = 0; position < losses.loaded; position++) {
    const difference = differenceAt(losses, beside, position)
    if (Number.isFinite(difference)) all.push(difference)
  }
  return all
}

export type Bin = { from: number; to: number; count: number }

/** Bins of equal width around 0; the outer ones hold everything beyond. */
export function histogramOf(differences: readonly number[], scale: number, half = 16): Bin[] {
  const width = (2 * scale) / half
  const counts = Array.from({ length: 2 * half }, () => 0)
  for (const one of differences) counts[Math.min(2 * half - 1, Math.max(0, Math.floor(one / width) + half))]!++
  return counts.map((count, i) => ({ from: (i - half) * width, to: (i - half + 1) * width, count }))
}

/** How strong a word's colour is, 0 to 1. */
export const strength = (difference: number, scale: number): number =>
  Number.isFinite(difference) ? Math.min(1, Math.abs(difference) / scale) : 0

/** A token as one would write it in a table: what cannot be seen has a sign. */
export const visible = (piece: string): string =>
  piece === '' ? '∅' : piece.replaceAll('\n', '⏎').replaceAll('\t', '⇥').replaceAll(' ', '␣')
