// What more bits would gain, ranked: the linears where the next bytes save most come first. Pure.
import { recipeText } from '../../../electron/contract/override-text.ts'
import { bits, size } from '../../../electron/contract/quantities.ts'
import type { Gain, GainsAnswer } from '../../../electron/contract/plan.ts'
import type { LayerReport } from '../../../electron/contract/records.ts'
import type { LayerNumber } from '../../drawing/layer-number.ts'

export type Unit = { bytes: number; name: string }
/** Bytes are counted in what is a small part of the model. */
export const unitFor = (total: number): Unit => (total >= 1e8 ? { bytes: 1e6, name: 'MB' } : { bytes: 1e3, name: 'kB' })

/** Thousandths of a nat. */
export const milli = (nats: number): string => {
  const value = 1000 * nats
  return value === 0 || Math.abs(value) >= 0.0005
    ? value.toFixed(Math.abs(value) < 0.0995 ? 3 : 2)
    : value.toExponential(1)
}

export type GainRow = {
  name: string
  layer: number
  kind: string
  /** Thousandths of a nat per unit of bytes, as a number and in words. */
  rate: number
  rateText: string
  saved: string
  /** Of all that the linear loses now. */
  share: number
  cost: string
  moreBits: string
  recipe: string
}

type Known = NonNullable<GainsAnswer['known']>

/** Without linears that have nothing to gain. */
export function gainRows(known: Known, reports: readonly LayerReport[], unit: Unit): GainRow[] {
  const gains = new Map(known.linears.map((gain) => [gain.name, gain]))
  return reports
    .flatMap(({ name, layer, kind, rows, columns }): GainRow[] => {
      const gain = gains.get(name)
      if (!gain?.next) return []
      const { candidate, bytes, saved } = gain.next
      const rate = rateOf(gain, unit)
      return [
        {
          name,
          layer,
          kind,
          rate,
          rateText: milli(rate / 1000),
          saved: milli(saved),
          share: gain.loss > 0 ? saved / gain.loss : 0,
          cost: size(Math.round(bytes)),
          moreBits: bits((8 * bytes) / (rows * columns)),
          recipe: recipeText(known.candidates[candidate] ?? null),
        },
      ]
    })
    .sort((a, b) => b.rate - a.rate)
}

const rateOf = ({ next }: Gain, unit: Unit): number => (next ? (1000 * next.saved * unit.bytes) / next.bytes : 0)

/** The same as numbers of the map. */
export function gainNumbers(known: Known, unit: Unit): LayerNumber[] {
  const gains = new Map(known.linears.map((gain) => [gain.name, gain]))
  const number = (id: string, title: string, of: (gain: Gain) => number): LayerNumber<LayerReport> => ({
    id,
    title,
    of: ({ name }) => {
      const gain = gains.get(name)
      return gain === undefined ? null : of(gain)
    },
    text: (value) => milli(value / 1000),
    end: String,
    fromZero: true,
  })
  return [
    number('gain', `gain per ${unit.name}, thousandths of a nat`, (gain) => rateOf(gain, unit)),
    number('saved', 'gain of the next step, thousandths of a nat', (gain) => 1000 * (gain.next?.saved ?? 0)),
    number('loss', 'loss now, thousandths of a nat', (gain) => 1000 * gain.loss),
    {
      ...number('sensitivity', 'KLD sensitivity, nats per squared error', (gain) => gain.sensitivity),
      text: (value) => value.toPrecision(3),
    },
  ]
}
