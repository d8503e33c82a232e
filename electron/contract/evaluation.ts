// How a model is measured: the two named protocols, and what comes of measuring it alone or beside its original.
import { z } from 'zod'

/**
 * `papers`: windows without overlap, every token of a window but its first is predicted; the error is by window.
 * `llama.cpp`: as its perplexity tool: BOS in front of every window where the model has one, only the second half predicted,
 * the error by token; at least two windows of text.
 */
export const protocols = ['papers', 'llama.cpp'] as const
export type Protocol = (typeof protocols)[number]
export const protocolSchema = z.enum(protocols)

/** One sentence for a person. */
export const protocolWords: Record<Protocol, string> = {
  papers: "Windows without overlap, every token but a window's first predicted; the error is by window.",
  'llama.cpp': 'BOS before every window, its second half predicted, as llama.cpp does; the error is by token.',
}

/** As long as the model's context, but no longer than the protocol's own programs usually take them. */
const usualWindow: Record<Protocol, number> = { papers: 2048, 'llama.cpp': 512 }
export const windowOf = (
  window: number | null,
  { context }: { context: number },
  protocol: Protocol = 'papers',
): number => window ?? Math.min(context, usualWindow[protocol])

/** Tokens that a window must have for one of them to be predicted, and windows that a text must fill. */
export const leastWindow: Record<Protocol, number> = { papers: 2, 'llama.cpp': 3 }
export const leastWindows: Record<Protocol, number> = { papers: 1, 'llama.cpp': 2 }

/** Tokens of a window that are predicted. */
export const targetsOf = (window: number, protocol: Protocol): number =>
  protocol === 'papers' ? window - 1 : window - 1 - Math.floor(window / 2)

/** Numbers that a worker could not make finite are null. */
const number = z.number().nullable()

export const estimateSchema = z.object({
  value: number,
  /** Null where there is only one value. */
  standard_error: number,
})
export type Estimate = z.infer<typeof estimateSchema>

export const distributionSchema = z.object({
  mean: estimateSchema,
  minimum: number,
  maximum: number,
  /** By percent: '0.1', '1', '5', '10', '25', '50', '75', '90', '95', '99', '99.9'. */
  percentiles: z.record(z.string(), number),
})
export type Distribution = z.infer<typeof distributionSchema>

/** A model beside its original, token by token: what llama.cpp prints with --kl-divergence. All errors are by token. */
export const comparisonSchema = z.object({
  /** Kullback-Leibler divergence of the model's next-token distribution from the original's, in nats. */
  kld: distributionSchema,
  /** Probability of the text's token: the model's less the original's. */
  delta_p: distributionSchema,
  delta_p_rms: estimateSchema,
  /** Share of the tokens at which both think the same next token most likely. */
  same_top: estimateSchema,
  /** ln(perplexity / perplexity of the original). */
  log_ratio: estimateSchema,
  /** Of the two models' losses. */
  correlation: number,
})
export type Comparison = z.infer<typeof comparisonSchema>

export type NamedEstimate = Estimate & { name: string }

/** What the history keeps of a comparison, by the names of its metrics; the rest is in the run's report. */
export function comparisonMetrics(comparison: Comparison): NamedEstimate[] {
  const { kld, delta_p, delta_p_rms, same_top, log_ratio } = comparison
  const alone = (name: string, value: number | null) => ({ name, value, standard_error: null })
  return [
    { name: 'kld', ...kld.mean },
    alone('kld_minimum', kld.minimum),
    alone('kld_median', kld.percentiles['50'] ?? null),
    ...['90', '95', '99', '99.9'].map((percent) => alone(`kld_${percent}`, kld.percentiles[percent] ?? null)),
    alone('kld_maximum', kld.maximum),
    { name: 'same_top', ...same_top },
    { name: 'delta_p', ...delta_p.mean },
    { name: 'delta_p_rms', ...delta_p_rms },
    { name: 'log_ratio', ...log_ratio },
  ]
}
