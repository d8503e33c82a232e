// What was measured of a run, text by text: the packed model beside the original. Pure.
import type { MetricRow } from '../../../electron/contract/history.ts'

export type Pair = {
  source: string
  sha256: string
  textTokens: number
  original: MetricRow | null
  packed: MetricRow | null
  /** Packed over original; null where one of them is missing or not finite. */
  ratio: number | null
  /** Of the packed model beside the original, by name (contract/evaluation.ts); empty where that was not measured. */
  distance: Readonly<Partial<Record<string, MetricRow>>>
}

/** `sources`: in the order of the recipe. */
export function pairs(metrics: readonly MetricRow[], sources: readonly string[] = []): Pair[] {
  const texts = new Map<string, Pair>()
  for (const metric of metrics) {
    const key = `${metric.sha256} ${metric.window} ${metric.protocol}`
    const { source, sha256, text_tokens: textTokens } = metric
    const none = { source, sha256, textTokens, original: null, packed: null, ratio: null, distance: {} }
    const pair = texts.get(key) ?? none
    if (metric.name === 'perplexity') texts.set(key, { ...pair, [metric.subject]: metric })
    else texts.set(key, { ...pair, distance: { ...pair.distance, [metric.name]: metric } })
  }
  const place = (source: string) => {
    const at = sources.indexOf(source)
    return at < 0 ? sources.length : at
  }
  return [...texts.values()]
    .map((pair) => ({ ...pair, ratio: ratioOf(pair.packed?.value, pair.original?.value) }))
    .sort((a, b) => place(a.source) - place(b.source))
}

const ratioOf = (packed: number | null | undefined, original: number | null | undefined): number | null =>
  typeof packed === 'number' && typeof original === 'number' && original > 0 ? packed / original : null

/** 1.061×, 12.3×, 4.1e+4×. */
export function ratioText(ratio: number): string {
  if (ratio >= 1e4) return `${ratio.toExponential(1)}×`
  return `${ratio.toFixed(ratio < 10 ? 3 : ratio < 100 ? 1 : 0)}×`
}
