// How a picture is coloured, and how its legend reads: one place for the shader, the legend, the cells' numbers and the caption.
import {
  encodingOf,
  shareOf,
  type PicturedLinear,
  type PictureKind,
  type PictureScale,
} from '../../../electron/contract/pictures.ts'
import { between, colourAt, divergingTable, signTable, tableOf, themeName, type Rgb, type Table } from '../colours.ts'

export type Paint = {
  table: Table
  /** The values at the two ends of the table. */
  low: number
  high: number
  /** The size counts, not the sign. */
  size: boolean
  /** Where there is no weight to show. */
  none: Rgb
  /** That a weight may be in. */
  groups: number
}

export type PictureOf = {
  linear: PicturedLinear
  kind: PictureKind
  /** Null until it is known. */
  scale: PictureScale | null
}

/** Weights along the edge of a pixel; 1 where weights are larger than pixels. */
export type Spread = number

/**
 * The mean of n x n weights without a pattern is about 1/n as large as they are. With `follow` the scale becomes as much narrower,
 * so that a pattern stands out of the whole matrix as it does out of its weights.
 */
export function paintOf({ linear, kind, scale }: PictureOf, dark: boolean, spread: Spread, follow: boolean): Paint {
  const narrow = follow ? Math.max(1, spread) : 1
  const none = noneColour(dark)
  const groups = linear.groups ?? 1
  switch (kind) {
    case 'original':
    case 'quantized': {
      const limit = (scale?.weight ?? 0) / narrow
      return { table: divergingTable(dark), low: -limit, high: limit, size: false, none, groups }
    }
    case 'error':
      return { table: tableOf('viridis'), low: 0, high: scale?.error ?? 0, size: true, none, groups }
    case 'change': {
      const limit = (scale?.error ?? 0) / narrow
      return { table: divergingTable(dark), low: -limit, high: limit, size: false, none, groups }
    }
    case 'flipped':
      // Half of the signs differ where two models have nothing in common.
      return { table: tableOf('viridis'), low: 0, high: narrow > 1 ? 0.5 : 1, size: false, none, groups }
    case 'sign':
    case 'second':
      return { table: signTable(dark), low: 0.5 - 0.5 / narrow, high: 0.5 + 0.5 / narrow, size: false, none, groups }
    case 'group':
    case 'salient':
    case 'mask':
      return { table: groupTable(dark), low: 0, high: 1, size: false, none, groups }
    case 'code':
      return { table: tableOf('cividis'), low: 0, high: 2 ** (linear.code_bits ?? 1) - 1, size: false, none, groups }
  }
}

export const noneColour = (dark: boolean): Rgb => (dark ? [0x25, 0x29, 0x30] : [0xe1, 0xe1, 0xdb])

/** Concentrated and sparse, other and salient: a dim and a strong colour of their own, no sign's. */
export const markColours = {
  light: { off: [0xdd, 0xdd, 0xd8], on: [0x00, 0x7a, 0x5a] },
  dark: { off: [0x33, 0x38, 0x40], on: [0x3d, 0xbf, 0x97] },
} as const satisfies Record<string, Record<string, Rgb>>
const groupTable = (dark: boolean) => between([markColours[themeName(dark)].off, markColours[themeName(dark)].on])

/** Overlays: what lies over a picture must differ from all that it may show. */
export const veilColours = {
  light: { salient: [0xb4, 0, 0x8c], mask: [0xb4, 0, 0x8c], group: [0, 0x8a, 0x60], flipped: [0x4a, 0x14, 0x86] },
  dark: {
    salient: [0xff, 0x5c, 0xd6],
    mask: [0xff, 0x5c, 0xd6],
    group: [0x3d, 0xe0, 0xa0],
    flipped: [0xff, 0xe9, 0x4d],
  },
} as const satisfies Record<string, Record<string, Rgb>>

/** The colour of a value, as the shader gives it; NaN: there is none. */
export function colourOf(paint: Paint, value: number): Rgb {
  if (Number.isNaN(value)) return paint.none
  const { low, high, size } = paint
  const shown = size ? Math.abs(value) : value
  return colourAt(paint.table, high > low ? (shown - low) / (high - low) : 0.5)
}

/** In words: 0 is the sparse one. */
export const groupName = ({ place, of }: { place: number; of: number }): string =>
  place === 0 ? 'sparse' : place === of - 1 ? 'concentrated' : `${place + 1} of ${of}`

/** The value of a cell of a tile; NaN where there is none. */
export const valueOf = (kind: PictureKind, stored: number): number =>
  encodingOf(kind) === 'share' ? (shareOf(stored) ?? Number.NaN) : stored

/** Written into a cell of level 0. */
export function cellText(kind: PictureKind, value: number): string {
  if (Number.isNaN(value)) return ''
  switch (kind) {
    case 'sign':
    case 'second':
      return value === 1 ? '+1' : '−1'
    case 'group':
      return value === 1 ? 's' : value === 0 ? 'c' : value > 0.4 ? '2' : '3'
    case 'salient':
    case 'mask':
      return ''
    case 'flipped':
      return value === 1 ? '≠' : '='
    case 'code':
      return String(value)
    default:
      return weightText(value, 3)
  }
}

/** Of a picture that was made from a share of the rows. */
export const sampledText = (share: number): string => `sampled, ${(100 * share).toPrecision(2)} % of the rows`

/** 0.0123, −1.50e−5: few digits, and a minus that is as wide as a plus. */
export function weightText(value: number, digits = 4): string {
  const size = Math.abs(value)
  const text = size !== 0 && size < 1e-3 ? value.toExponential(digits - 1) : value.toPrecision(digits)
  return (value === 0 ? '0' : text).replaceAll('-', '−')
}
