// The lines under a saved picture.
import type { PicturedLinear, PictureKind } from '../../../electron/contract/pictures.ts'
import { kindTitles, type Legend } from './legend.ts'
import { overlayNames, overlaysOver, type Overlays } from './overlays.ts'

export function captionOf(
  { title, linear, kind }: { title: string; linear: PicturedLinear; kind: PictureKind },
  legend: Legend,
  overlays: Overlays,
): string[] {
  const scale = legend.bar
    ? `${legend.title}: ${legend.bar.labels[0]} to ${legend.bar.labels.at(-1)}`
    : `${legend.title}: ${legend.swatches.map(({ text }) => text).join(', ')}`
  const veils = overlaysOver(kind, linear, overlays).map((veil) => `${overlayNames[veil]} marked`)
  return [
    `${kindTitles[kind]}, ${linear.name}`,
    `${title} (${linear.method}), ${linear.rows} rows × ${linear.columns} columns`,
    [scale, ...veils].join('; '),
  ]
}
