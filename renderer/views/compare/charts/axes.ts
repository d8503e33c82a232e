// What the two axes of the scatter can show of a run, and how it is written. Pure.
import { bits, divergence, percent, size } from '../../../../electron/contract/quantities.ts'
import type { Measured, OnText, Row } from '../row.ts'

export type XAxis = 'fileBytes' | 'linearBits' | 'nominalBits' | 'fileBits'
export type YAxis = 'perplexity' | 'ratio' | 'kld' | 'sameTop'

type X = { title: string; unit: string; text: (value: number) => string; of: (row: Row) => number | null }

export const xAxes: Record<XAxis, X> = {
  fileBytes: { title: 'File size', unit: 'bytes', text: size, of: (row) => row.fileBytes },
  linearBits: { title: 'Linear bits', unit: 'per weight', text: bits, of: (row) => row.linearBits },
  nominalBits: { title: 'Nominal bits', unit: 'per weight', text: bits, of: (row) => row.nominalBits },
  fileBits: { title: 'File bits', unit: 'per parameter', text: bits, of: (row) => row.fileBits },
}

type Y = {
  title: string
  /** Less is better, but for shares of what is the same. */
  better: 'less' | 'more'
  text: (value: number) => string
  of: (measured: OnText) => Measured | null
  /** What the original itself has; null where it was not measured. */
  original: (measured: OnText) => number | null
}

const withoutError = (value: number): Measured => ({ value, standard_error: null })

const ratio: Y['of'] = ({ packed, original }) =>
  packed?.value && original?.value ? withoutError(packed.value / original.value) : null

/** 2.31×, 1.1e+4×. */
export const ratioText = (value: number): string =>
  `${value >= 1e4 ? value.toExponential(1) : value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 3)}×`

const perplexityText = (value: number): string =>
  value >= 1e5 ? value.toExponential(1) : value.toFixed(value >= 1000 ? 0 : value >= 100 ? 1 : 2)

export const yAxes: Record<YAxis, Y> = {
  perplexity: {
    title: 'Perplexity',
    better: 'less',
    text: perplexityText,
    of: ({ packed }) => packed,
    original: ({ original }) => original?.value ?? null,
  },
  ratio: {
    title: 'Ratio to the original',
    better: 'less',
    text: ratioText,
    of: ratio,
    original: ({ original }) => (original?.value ? 1 : null),
  },
  kld: {
    title: 'KL divergence',
    better: 'less',
    text: divergence,
    of: ({ kld }) => kld,
    original: ({ kld }) => (kld ? 0 : null),
  },
  sameTop: {
    title: 'Same top token',
    better: 'more',
    text: percent,
    of: ({ sameTop }) => sameTop,
    original: ({ sameTop }) => (sameTop ? 1 : null),
  },
}

export const scales = ['auto', 'linear', 'log'] as const
export type Scale = (typeof scales)[number]

/** What was kept from another day, or the usual. */
export const known = <T extends string>(value: string, among: readonly T[], usual: T): T =>
  among.find((one) => one === value) ?? usual
