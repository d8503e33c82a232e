// A measurement as lines of text: the perplexity with what it was measured by, and the distance from the original.
import path from 'node:path'
import type { Answer } from '../contract/api.ts'
import type { Comparison } from '../contract/evaluation.ts'
import { withError } from '../contract/metric-words.ts'
import type { Measurement, Tokens } from '../contract/records.ts'
import * as quantities from '../contract/quantities.ts'

/** bundled:evaluation-tales, protocol papers, 13 windows of 256, 3315 targets */
export const measuredBy = (text: Tokens, { protocol, windows, window, tokens }: Measurement): string =>
  `${path.basename(text.source)}, protocol ${protocol}, ${windows} windows of ${window}, ${tokens} targets`

export function evaluationText({ perplexity, text, against }: Answer<'evaluate'>): string {
  const first = `perplexity ${quantities.perplexity(perplexity)} (${measuredBy(text, perplexity)}), ${quantities.secondsText(perplexity.seconds)} s`
  if (against === null) return first
  const other = `perplexity ${quantities.perplexity(against.perplexity)} of ${against.model}, ${quantities.secondsText(against.perplexity.seconds)} s`
  const lines = comparisonLines(against.comparison).map(([title, value]) => `${title.padEnd(14)}${value}`)
  return [first, other, ...lines].join('\n')
}

/** What llama.cpp prints with --kl-divergence, by the same names. */
export function comparisonLines(comparison: Comparison): [string, string][] {
  const { kld, delta_p: p, delta_p_rms: rms, same_top: top, log_ratio: ratio } = comparison
  const at = (percent: string) => quantities.divergence(kld.percentiles[percent] ?? null)
  const share = (percent: string) => quantities.percent(p.percentiles[percent] ?? null)
  const tails = ['90', '95', '99', '99.9'].map((percent) => `${percent} % ${at(percent)}`).join(', ')
  return [
    ['ln ratio', `${withError(ratio, quantities.divergence)} (ln of the perplexities' ratio)`],
    ['KLD', `${withError(kld.mean, quantities.divergence)} mean, ${at('50')} median`],
    ['', `${tails}, ${quantities.divergence(kld.minimum)} to ${quantities.divergence(kld.maximum)}`],
    ['same top', withError(top, quantities.percent)],
    ['delta p', `${withError(p.mean, quantities.percent)} mean, ${withError(rms, quantities.percent)} RMS`],
    ['', `${['1', '25', '50', '75', '99'].map((percent) => `${percent} % ${share(percent)}`).join(', ')}`],
  ]
}
