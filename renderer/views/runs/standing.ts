// How far a run is and how long it will still take: the worker's own estimate for what it does, the forecast for what comes
// after it. Pure: the time is given.
import type { Forecast } from '../../../electron/contract/forecast.ts'
import type { Live } from '../../client/live.ts'

/** Seconds, of the forecast. */
export type Estimate = { quantize: number; evaluate: number }
/** `left`: seconds; null where nobody knows. */
export type Standing = { share: number; left: number | null }

/** Of the whole run, where there is no forecast. */
const usualShare = 0.75

/** Null where nobody knows: on a card that has finished no run yet. */
export const estimateOf = ({ seconds, basis }: Pick<Forecast, 'seconds' | 'basis'>): Estimate | null => {
  if (basis.unknown) return null
  const { evaluate = 0, ...others } = seconds
  return { quantize: Object.values(others).reduce((sum, one) => sum + one, 0), evaluate }
}

/** `texts`: how many are measured, original and packed model together. `now`: by `performance.now()`. */
export function standing(live: Live, texts: number, estimate: Estimate | null, now: number): Standing {
  const total = estimate === null ? 0 : estimate.quantize + estimate.evaluate
  const quantizing = texts === 0 ? 1 : total > 0 ? estimate!.quantize / total : usualShare
  if (live.step?.name === 'evaluate') {
    const { done, left } = measuring(live, texts, estimate, now)
    return { share: within(quantizing + (1 - quantizing) * done), left }
  }
  const { done, left } = layering(live, estimate, now)
  const after = texts === 0 ? 0 : (estimate?.evaluate ?? null)
  return { share: within(quantizing * done), left: left === null || after === null ? null : left + after }
}

type Part = { done: number; left: number | null }

function layering(live: Live, estimate: Estimate | null, now: number): Part {
  const { plan, progress, progressAt, layers, saved } = live
  const before = plan && plan.layers > 0 ? plan.resumed_layers / plan.layers : 0
  const expected = estimate === null ? null : estimate.quantize * (1 - before)
  if (progress === null) return { done: before, left: expected }
  const age = Math.max(0, now - progressAt) / 1000
  const elapsed = progress.elapsed + age
  // The layer in hand is not done yet: at least as long as it has taken is still needed for each of the others.
  const most = plan && plan.layers > 0 ? (saved + 1 - plan.resumed_layers) / (plan.layers - plan.resumed_layers) : 1
  const least = most > 0 && most < 1 ? elapsed / most - elapsed : 0
  const left = progress.eta === null ? expected && Math.max(expected - elapsed, least) : progress.eta - age
  const known = plan && plan.linears > 0 ? layers.size / plan.linears : before
  if (left === null) return { done: known, left: null }
  // What takes longer than was thought is not done for that.
  const rest = Math.max(left, 0.02 * elapsed)
  return { done: before + ((1 - before) * elapsed) / (elapsed + rest), left: Math.max(0, left) }
}

function measuring(
  { progress, progressAt, metrics }: Live,
  texts: number,
  estimate: Estimate | null,
  now: number,
): Part {
  const all = Math.max(1, texts)
  const measured = Math.min(metrics.filter(({ metric }) => metric.name === 'perplexity').length, all)
  const fraction = progress && progress.total > 0 ? progress.done / progress.total : 0
  const one = fraction > 0 ? progress!.elapsed / fraction : estimate === null ? null : estimate.evaluate / all
  const age = progress === null ? 0 : Math.max(0, now - progressAt) / 1000
  const open = fraction >= 1 ? 0 : 1 - fraction
  const left = one === null ? null : Math.max(0, one * open - age) + one * Math.max(0, all - measured - 1)
  return { done: (measured + (fraction < 1 ? fraction : 0)) / all, left: measured >= all ? 0 : left }
}

const within = (share: number): number => Math.max(0, Math.min(1, share))

/**
 * The next end to count down to, in ms. Small corrections are taken over in steps, so that seconds go by one after the other;
 * large ones at once.
 */
export function nextEnd(shown: number | null, end: number, now: number): number {
  if (shown === null) return end
  const difference = end - shown
  if (Math.abs(difference) > Math.max(4000, 0.3 * Math.max(0, shown - now))) return end
  return shown + 0.25 * difference
}
