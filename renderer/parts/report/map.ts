// The map of a model as a drawing: a row a decoder layer, a tile a linear, coloured by its error. Pure.
import type { LayerReport } from '../../../electron/contract/records.ts'
import { errorText, type Measure } from '../../drawing/chart/error-by-depth.ts'
import { inkOn, colourAt, css, gradientOf, tableOf } from '../../drawing/colours.ts'
import { kindName } from '../../drawing/kind-colour.ts'
import { labelEvery, mapRows, rowHeight, scaleEnd, tileName } from '../../drawing/model-map/layout.ts'
import { html, type Html } from './html.ts'

const width = 1000
const left = 40
const viridis = tableOf('viridis')

/** The end of the scale, and the drawing. */
export function mapDrawing(reports: readonly LayerReport[], measure: Measure): { svg: string; legend: Html } {
  const rows = mapRows(reports)
  const height = Math.max(12, rowHeight(rows.length))
  const end = scaleEnd(reports.reduce((most, one) => Math.max(most, one[measure] ?? 0), 0))
  const every = labelEvery(height)
  const drawn = rows.map(({ layer, tiles }, at) => {
    const top = at * height
    let x = left
    const boxes = tiles.map(({ linear, share }) => {
      const wide = share * (width - left)
      const value = linear[measure]
      const colour = value === null ? null : colourAt(viridis, value / end)
      const box = html`<g
        ><title>${tileName(linear)}: ${value === null ? 'no number' : errorText(value)}</title
        ><rect
          x="${x.toFixed(1)}"
          y="${top}"
          width="${Math.max(0.5, wide - 1).toFixed(1)}"
          height="${height - 1}"
          fill="${colour === null ? 'var(--line)' : css(colour)}"
        />${
          wide > 34 && height >= 16
            ? html`<text
                x="${(x + wide / 2).toFixed(1)}"
                y="${top + height / 2 + 4}"
                font-size="11"
                text-anchor="middle"
                fill="${colour === null ? 'var(--ink)' : inkOn(colour)}"
                >${kindName(linear.kind)}</text
              >`
            : html``
        }</g
      >`
      x += wide
      return box
    })
    const label =
      at % every === 0
        ? html`<text x="${left - 8}" y="${top + height / 2 + 4}" font-size="11" text-anchor="end" fill="var(--muted)"
            >${layer}</text
          >`
        : html``
    return html`${label}${boxes}`
  })
  const svg = html`<svg
    xmlns="http://www.w3.org/2000/svg"
    viewBox="0 0 ${width} ${rows.length * height}"
    font-family="system-ui, sans-serif"
  >
    ${drawn}
  </svg>`
  const legend = html`<ul class="legend">
    <li>
      0 <span style="width:160px;height:8px;border-radius:4px;background:${gradientOf(viridis)}"></span> ${String(end)}
    </li>
  </ul>`
  return { svg: svg.markup, legend }
}
