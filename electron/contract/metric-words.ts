// What was measured, as people read it: its name and its value with its error.
import type { Estimate } from './evaluation.ts'
import type { Metric } from './records.ts'
import { divergence, percent, perplexity } from './quantities.ts'

/** 0.0412 ± 0.0007, or alone where there is no error. */
export const withError = (
  { value, standard_error: error }: Estimate,
  text: (value: number | null) => string,
): string => (error === null ? text(value) : `${text(value)} ± ${text(error)}`)

const words: Partial<Record<string, { title: string; text: (estimate: Estimate) => string }>> = {
  perplexity: { title: 'perplexity', text: perplexity },
  kld: { title: 'mean KLD', text: (estimate) => withError(estimate, divergence) },
  same_top: { title: 'same top token', text: (estimate) => withError(estimate, percent) },
}

/** Of a metric that is worth a line of its own; null for what only fills tables. */
export function metricWords(metric: Pick<Metric, 'name'> & Estimate): { title: string; text: string } | null {
  const found = words[metric.name]
  return found ? { title: found.title, text: found.text(metric) } : null
}
