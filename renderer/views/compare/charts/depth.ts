// The errors of several runs, layer by layer, over each other. Pure.
import type { LayerReport } from '../../../../electron/contract/records.ts'
import {
  errorByLayer,
  errorText,
  measures,
  type DepthSeries,
  type Measure,
  type Shown,
} from '../../../drawing/chart/error-by-depth.ts'
import { inBlockOrder } from '../../../drawing/kind-colour.ts'
import { runColour } from '../../../drawing/run-colour.ts'

export const everyKind = 'every'

export type Overlaid = { id: number; name: string; reports: readonly LayerReport[] }

/** Kinds of linear that any of the runs has, in the order of the block. */
export const kindsOf = (runs: readonly Pick<Overlaid, 'reports'>[]): string[] =>
  inBlockOrder(runs.flatMap(({ reports }) => reports.map(({ kind }) => kind)))

const symbols = ['circle', 'rect', 'triangle', 'diamond']

export type Wanted = {
  measure: Measure
  /** Or every kind, by their weights. */ kind: string
  against: Overlaid | null
}

/** One line a run. `against`: in percent more or less than this run has at the same layer; its own line is left out. */
export function overlay(runs: readonly Overlaid[], { measure, kind, against }: Wanted): DepthSeries[] {
  const points = ({ reports }: Overlaid) =>
    errorByLayer(kind === everyKind ? reports : reports.filter((one) => one.kind === kind), measure)
  const base = against && new Map(points(against))
  return runs
    .filter(({ id }) => id !== against?.id)
    .map((run, at) => ({
      id: String(run.id),
      name: run.name,
      colour: runColour(run.id),
      symbol: symbols[at % symbols.length]!,
      points: points(run).flatMap(([layer, value]): [number, number][] => {
        if (base === null) return [[layer, value]]
        const before = base.get(layer)
        return before ? [[layer, 100 * (value / before - 1)]] : []
      }),
    }))
}

const signed = (percent: number): string =>
  `${percent < 0 ? '\u2212' : '+'}${Math.abs(percent).toFixed(Math.abs(percent) < 99.95 ? 1 : 0)} %`

export const shownAs = (measure: Measure, against: Overlaid | null): Shown =>
  against === null
    ? { title: measures[measure], text: errorText, fromZero: true }
    : { title: `${measures[measure]} against ${against.name}, %`, text: signed, fromZero: false }
