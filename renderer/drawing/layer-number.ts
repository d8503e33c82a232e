// Every number that is known of a linear after a run, each described once: for the map, for lines by depth, for a tile's note.
import { bits, percent, size, spent } from '../../electron/contract/quantities.ts'
import type { LayerReport } from '../../electron/contract/records.ts'

export type LayerNumber<L = LayerReport> = {
  id: string
  /** As a scale or an axis is called. */
  title: string
  /** Null where there is none, or none that is finite. */
  of: (linear: L) => number | null
  text: (value: number) => string
  /** At the ends of a scale, which are round numbers, where that is another text. */
  end?: (value: number) => string
  /** Shares of something: a scale of theirs begins at 0. */
  fromZero: boolean
}

const error = (value: number) => value.toFixed(4)
const plain = { end: String }

/** Most interesting first. */
export const layerNumbers: readonly LayerNumber[] = [
  number('output_error', 'relative output error', (one) => one.relative_output_error, error, plain),
  number('weight_error', 'relative weight error', (one) => one.relative_weight_error, error, plain),
  number('salient', 'salient columns', (one) => share(one.salient_columns, one.columns), percent),
  number('nominal_bits', 'nominal bits', (one) => one.nominal_bits, bits, { fromZero: false }),
  number('linear_bits', 'linear bits', (one) => one.linear_bits, bits, { fromZero: false }),
  number(
    'bytes',
    'bytes',
    (one) => one.bytes,
    (value) => size(Math.round(value)),
  ),
  number('seconds', 'time', (one) => one.seconds, spent),
  number('zeros', 'zeros in the first plane', (one) => one.plane1_sparsity, percent),
  number('zeros_second', 'zeros in the second plane', (one) => one.plane2_sparsity, percent),
]

function number(
  id: string,
  title: string,
  of: LayerNumber['of'],
  text: LayerNumber['text'],
  other: Partial<LayerNumber> = {},
): LayerNumber {
  return { id, title, of, text, fromZero: true, ...other }
}

const share = (part: number | null, whole: number): number | null => (part === null ? null : part / whole)

/** Those that at least one linear has. */
export const numbersOf = <L>(numbers: readonly LayerNumber<L>[], linears: readonly L[]): LayerNumber<L>[] =>
  numbers.filter(({ of }) => linears.some((one) => of(one) !== null))

/** `salient columns 12.50 %`, for everything that is known of a linear. */
export const factsOf = <L>(numbers: readonly LayerNumber<L>[], linear: L): { name: string; value: string }[] =>
  numbers.flatMap(({ title, of, text }) => {
    const value = of(linear)
    return value === null ? [] : [{ name: title, value: text(value) }]
  })
