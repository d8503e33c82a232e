// Results as papers publish them, to stand beside runs of one's own. Their models, texts and windows are others: WikiText-2 test,
// windows of 2048 tokens without overlap, 128 calibration sequences of C4. Each figure is said with its source; nothing here was
// measured by Signum.
import type { Table } from '../../../drawing/csv.ts'
import type { XAxis, YAxis } from './axes.ts'

/** One number, or the least and the most where a table says no more. */
export type Bits = number | readonly [least: number, most: number]

export type Published = {
  method: string
  model: string
  /** On WikiText-2; `original`: of the model in FP16, by the same protocol. */
  perplexity: number
  original: number
  /** As the source counts them. */
  nominalBits: Bits
  /** As Signum counts the same format, at many rows: planes, bitmaps and scales; null where that is not known. */
  linearBits: Bits | null
  source: string
}

const sources = {
  arb: 'ARB-LLM, arXiv:2410.03129, Tables 1-3',
  billm: 'BiLLM, arXiv:2402.04291; its bits from Table 1',
  pbLlm: 'PB-LLM, arXiv:2310.00034; bits with the bitmap',
  dbLlm: 'DB-LLM, arXiv:2402.11960, as quoted by EfficientQAT, arXiv:2407.11062, Tables 1-2',
} as const

/** WikiText-2 perplexity in FP16: ARB-LLM, arXiv:2410.03129, Tables 1-3. */
const originals = {
  'LLaMA-7B': 5.68,
  'LLaMA-13B': 5.09,
  'LLaMA-30B': 4.1,
  'LLaMA-65B': 3.53,
  'LLaMA-2-7B': 5.47,
  'LLaMA-2-13B': 4.88,
  'LLaMA-2-70B': 3.32,
  'LLaMA-3-8B': 6.14,
  'LLaMA-3-70B': 2.86,
  'OPT-1.3B': 14.62,
  'OPT-2.7B': 12.47,
  'OPT-6.7B': 10.86,
  'OPT-13B': 10.13,
  'OPT-30B': 9.56,
  'OPT-66B': 9.34,
} as const
type Model = keyof typeof originals
export const publishedModels = Object.keys(originals) as Model[]

const opt: readonly Model[] = ['OPT-1.3B', 'OPT-2.7B', 'OPT-6.7B', 'OPT-13B', 'OPT-30B', 'OPT-66B']
const llama = publishedModels.filter((model) => !opt.includes(model))

type Method = Pick<Published, 'method' | 'nominalBits' | 'linearBits' | 'source'>

const row = (models: readonly Model[], method: Method, perplexities: readonly (number | null)[]): Published[] =>
  models.flatMap((model, at) => {
    const perplexity = perplexities[at] ?? null
    return perplexity === null ? [] : [{ ...method, model, perplexity, original: originals[model] }]
  })

const arb = (method: string, nominalBits: Bits, linearBits: Bits): Method => ({
  method,
  nominalBits,
  linearBits,
  source: sources.arb,
})
const own = (nominalBits: number): Method => ({ method: 'BiLLM', nominalBits, linearBits: 2.97, source: sources.billm })
const pb = (share: number, nominalBits: number, linearBits: number | null): Method => ({
  method: `PB-LLM, ${share} % salient`,
  nominalBits,
  linearBits,
  source: sources.pbLlm,
})

/** What the tables of ARB-LLM call the bits of BiLLM and of itself, for the LLaMA family and for OPT. */
const [llamaBits, optBits] = [[1.06, 1.09] as const, 1.11]
/** 2 and 3 bits with a scale per 128 weights, and a zero of as many bits as a code or of 16. */
const [gptq2, gptq3] = [[2.14, 2.25] as const, [3.15, 3.25] as const]

export const published: readonly Published[] = [
  ...row(llama, arb('GPTQ, group 128', 3, gptq3), [8.63, 5.67, 4.87, 4.17, 6.44, 5.46, 3.88, 18.68, 6.65]),
  ...row(llama, arb('GPTQ, group 128', 2, gptq2), [129.19, 20.46, 15.29, 8.66, 52.22, 23.63, 8.18, 1480.43, 82.23]),
  ...row(
    llama,
    arb('PB-LLM, 10 % salient, bitmap not counted', 1.7, 2.95),
    [82.76, 44.93, 23.72, 12.81, 66.41, 236.4, 28.37, 73.08, 22.96],
  ),
  ...row(llama, arb('BiLLM', llamaBits, 2.97), [49.79, 14.58, 9.9, 8.37, 32.31, 21.35, 13.32, 55.8, 66.3]),
  ...row(llama, arb('ARB-LLM X', llamaBits, 3.35), [21.81, 11.2, 8.66, 7.27, 21.61, 14.86, 7.88, 31.98, 14.15]),
  ...row(llama, arb('ARB-LLM RC', llamaBits, 2.85), [14.03, 10.18, 7.75, 6.56, 16.44, 11.85, 6.16, 27.42, 11.1]),
  ...row(opt, arb('GPTQ, group 128', 3, gptq3), [16.45, 13.61, 11.31, 10.47, 9.71, 10.55]),
  ...row(opt, arb('GPTQ, group 128', 2, gptq2), [121.64, 59.53, 20.81, 20.05, 13.04, 46.38]),
  ...row(opt, arb('PB-LLM, 10 % salient, bitmap not counted', 1.7, 2.95), [239.81, 278.27, 144.25, 74.59, 28.3, 27.66]),
  ...row(opt, arb('BiLLM', optBits, 2.97), [69.05, 48.61, 47.65, 18.75, 13.86, 12.05]),
  ...row(opt, arb('ARB-LLM X', optBits, 3.35), [45.4, 34.37, 20.07, 15.47, 12.36, 11.23]),
  ...row(opt, arb('ARB-LLM RC', optBits, 2.85), [26.63, 19.84, 14.92, 12.92, 11.12, 10.3]),
  ...row(['LLaMA-7B', 'LLaMA-13B'], own(1.09), [35.04, 15.14]),
  ...row(['LLaMA-30B', 'LLaMA-65B'], own(1.1), [10.52, 8.49]),
  ...row(['LLaMA-2-7B'], own(1.07), [32.48]),
  ...row(['LLaMA-2-13B'], own(1.08), [16.77]),
  ...row(['LLaMA-2-70B'], own(1.09), [8.41]),
  ...row(['OPT-6.7B'], own(1.1), [35.36]),
  ...row(['OPT-13B', 'OPT-30B'], own(1.12), [18.82, 12.71]),
  ...row(['OPT-66B'], own(1.13), [12.06]),
  ...row(['LLaMA-7B'], pb(10, 2.7, 2.95), [85.78]),
  ...row(['LLaMA-7B'], pb(20, 3.4, null), [17.19]),
  ...row(['LLaMA-7B'], pb(50, 5.5, null), [6.31]),
  ...row(
    ['LLaMA-2-7B', 'LLaMA-2-13B', 'LLaMA-2-70B', 'LLaMA-3-8B'],
    { method: 'DB-LLM, group 64', nominalBits: 2, linearBits: 2.5, source: sources.dbLlm },
    [7.23, 6.19, 4.64, 13.6],
  ),
]

/** Why there is no honest place for published points between these axes; null: there is. */
export function objection(x: XAxis, y: YAxis): string | null {
  if (y === 'kld' || y === 'sameTop') return 'The papers publish no distances from the original, only perplexities.'
  if (y === 'perplexity') {
    return 'The papers measured other models on another text: their points stand only where y is the ratio to the original.'
  }
  if (x === 'fileBytes' || x === 'fileBits') {
    return 'Files of other models have other embeddings: published points stand only where x is nominal or linear bits.'
  }
  return null
}

export type PublishedPoint = Published & { x: number; y: number }

export const middle = (value: Bits): number => (typeof value === 'number' ? value : (value[0] + value[1]) / 2)

export const bitsText = (value: Bits): string =>
  typeof value === 'number' ? value.toFixed(2) : `${value[0].toFixed(2)} to ${value[1].toFixed(2)}`

/** Of one model, or of all of them. */
export function publishedPoints(model: string, x: XAxis, y: YAxis): PublishedPoint[] {
  if (objection(x, y) !== null) return []
  return published
    .filter((one) => model === everyModel || one.model === model)
    .flatMap((one) => {
      const counted = x === 'linearBits' ? one.linearBits : one.nominalBits
      return counted === null ? [] : [{ ...one, x: middle(counted), y: one.perplexity / one.original }]
    })
}
export const everyModel = 'all'

const ends = (value: Bits | null): [number | null, number | null] =>
  value === null ? [null, null] : typeof value === 'number' ? [value, value] : [value[0], value[1]]

export const publishedTable = (points: readonly PublishedPoint[]): Table => ({
  columns: [
    'published method',
    'model',
    'perplexity on WikiText-2',
    'perplexity of the original',
    'ratio',
    'nominal bits from',
    'nominal bits to',
    'linear bits from',
    'linear bits to',
    'source',
  ],
  rows: points.map(({ method, model, perplexity, original, y, nominalBits, linearBits, source }) => [
    method,
    model,
    perplexity,
    original,
    y,
    ...ends(nominalBits),
    ...ends(linearBits),
    source,
  ]),
})
