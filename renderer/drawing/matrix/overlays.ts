// What can be laid over a picture, each as strongly as one likes.
import {
  isDifference,
  type PicturedLinear,
  type PictureKind,
  type PictureOwner,
} from '../../../electron/contract/pictures.ts'
import { css, themeName, veilTable, type Rgb } from '../colours.ts'
import { kindTitles, legendOf, type Legend } from './legend.ts'
import { paintOf, veilColours, type Paint, type PictureOf, type Spread } from './paint.ts'
import type { Coat } from './painter.ts'

/** From the bottom up: whole pictures, then what only marks some of the weights. */
export const overlayKinds = [
  ...(['original', 'quantized', 'error', 'change', 'code', 'sign', 'second'] as const),
  ...(['group', 'salient', 'mask', 'flipped'] as const),
] as const satisfies readonly PictureKind[]
export type OverlayKind = (typeof overlayKinds)[number]
/** How strongly, 0 to 1. */
export type Overlays = Partial<Record<OverlayKind, number>>

/** They leave the other weights as they are. */
export const isVeil = (kind: PictureKind): kind is keyof (typeof veilColours)['dark'] => kind in veilColours.dark

export const overlayNames: Record<OverlayKind, string> = { ...kindTitles, group: 'Sparse group' }

/** What there is of a linear; of a pair the change of the error too, where there are two errors. */
export const overlaysOf = ({ pictures }: PicturedLinear, pair: PictureOwner | null = null): OverlayKind[] =>
  overlayKinds.filter((kind) => {
    if (!isDifference(kind)) return pictures.includes(kind)
    if (pair === null) return false
    return kind === 'flipped' || (pictures.includes('error') && !String(pair).endsWith('@original'))
  })

/** Those that are seen: not over themselves, and not where the linear has no such thing. */
export const overlaysOver = (
  kind: PictureKind,
  linear: PicturedLinear,
  overlays: Overlays,
  pair: PictureOwner | null = null,
): OverlayKind[] => overlaysOf(linear, pair).filter((over) => over !== kind && (overlays[over] ?? 0) > 0)

/** How the card draws the picture itself. */
export const coatOf = (paint: Paint): Coat => ({ ...pick(paint), none: paint.none, opacity: 1 })

/** How it draws what lies over it: what has no value leaves the picture as it is. */
export function overlayCoat(of: PictureOf, opacity: number, dark: boolean, spread: Spread, follow: boolean): Coat {
  const paint = paintOf(of, dark, spread, follow)
  if (!isVeil(of.kind)) return { ...pick(paint), none: null, opacity }
  const table = veilTable(veilColours[themeName(dark)][of.kind], opacity)
  return { ...pick(paint), table, none: null, opacity: 1 }
}

/** A value's colour over what lies below it, as the card gives it; NaN: it has none. */
export function coatColour({ table, low, high, size, none, opacity }: Coat, value: number, below: Rgb): Rgb {
  if (Number.isNaN(value)) return none ?? below
  const shown = size ? Math.abs(value) : value
  const share = high > low ? (shown - low) / (high - low) : 0.5
  const at = 4 * Math.round(255 * Math.min(1, Math.max(0, share)))
  const alpha = (opacity * table[at + 3]!) / 255
  const mixed = (part: number) => Math.round(alpha * table[at + part]! + (1 - alpha) * below[part]!)
  return [mixed(0), mixed(1), mixed(2)]
}

const pick = ({ table, low, high, size }: Paint) => ({ table, low, high, size })

/** A layer in words, for the legend and the caption: it has one colour, or a legend of its own. */
export type OverlayLegend = { name: string; percent: number } & ({ colour: string } | { legend: Legend })

export function overlayLegend(
  of: PictureOf,
  opacity: number,
  dark: boolean,
  { spread, follow, level }: { spread: Spread; follow: boolean; level: number },
): OverlayLegend {
  const named = { name: overlayNames[of.kind], percent: Math.round(100 * opacity) }
  if (isVeil(of.kind)) return { ...named, colour: css(veilColours[themeName(dark)][of.kind]) }
  return { ...named, legend: legendOf(of.kind, paintOf(of, dark, spread, follow), level, of.scale !== null) }
}
