// The lines under a saved picture.
import type { PicturedLinear, PictureKind } from '../../../electron/contract/pictures.ts'
import { kindTitles, type Legend } from './legend.ts'
import type { OverlayLegend } from './overlays.ts'
import { sampledText } from './paint.ts'

/** `over`: what lies over the picture. `sampled`: the share of the rows that it was made from; null where it is exact. */
export function captionOf(
  { title, linear, kind }: { title: string; linear: PicturedLinear; kind: PictureKind },
  legend: Legend,
  over: readonly OverlayLegend[],
  sampled: number | null = null,
): string[] {
  return [
    `${kindTitles[kind]}, ${linear.name}`,
    `${title} (${linear.method}), ${linear.rows} rows × ${linear.columns} columns`,
    [scaleOf(legend), ...(sampled === null ? [] : [sampledText(sampled)])].join('; '),
    ...over.map((layer) => {
      const what = `over it at ${layer.percent} %: ${layer.name}`
      return 'legend' in layer ? `${what} (${scaleOf(layer.legend)})` : what
    }),
  ]
}

const scaleOf = ({ title, bar, swatches }: Legend): string =>
  bar
    ? `${title}: ${bar.labels[0]} to ${bar.labels.at(-1)}`
    : `${title}: ${swatches.map(({ text }) => text).join(', ')}`
