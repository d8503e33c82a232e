// What can be laid over a picture.
import type { PicturedLinear, PictureKind } from '../../../electron/contract/pictures.ts'

export const overlayKinds = ['salient', 'mask', 'group'] as const
export type OverlayKind = (typeof overlayKinds)[number]
/** How strongly, 0 to 1. */
export type Overlays = Partial<Record<OverlayKind, number>>

export const overlayNames: Record<OverlayKind, string> = {
  salient: 'Salient columns',
  mask: 'Salient weights',
  group: 'Sparse group',
}

/** Those that are seen: not over themselves, and not where the linear has no such thing. */
export const overlaysOver = (kind: PictureKind, linear: PicturedLinear, overlays: Overlays): OverlayKind[] =>
  overlayKinds.filter((veil) => veil !== kind && (overlays[veil] ?? 0) > 0 && linear.pictures.includes(veil))
