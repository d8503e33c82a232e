// What every chart has in common: its option's type, axes, grid and tooltip, all coloured by the tokens.
import type { BarSeriesOption, LineSeriesOption, ScatterSeriesOption } from 'echarts/charts'
import type { DataZoomComponentOption, GridComponentOption, TooltipComponentOption } from 'echarts/components'
import type { ComposeOption, ECharts } from 'echarts/core'

export type { ECharts }
export type ChartOption = ComposeOption<
  | BarSeriesOption
  | LineSeriesOption
  | ScatterSeriesOption
  | DataZoomComponentOption
  | GridComponentOption
  | TooltipComponentOption
>
type Single<T> = Exclude<T, undefined | readonly unknown[]>
type Axis = Single<ChartOption['xAxis']> | Single<ChartOption['yAxis']>

/** Tokens as a canvas understands them. */
export type ChartColours = {
  ink: string
  muted: string
  faint: string
  line: string
  panel: string
  raised: string
  accent: string
  good: string
  warn: string
  bad: string
  font: string
  dark: boolean
  /** Any CSS colour, such as light-dark(), as a canvas understands it. */
  resolve: (css: string) => string
}

/** A chart's picture in the colours of the theme; asked again when the theme changes. */
export type MakeOption = (colours: ChartColours) => ChartOption

/** An axis with its name at the far end of it, written along the plot's edge. */
export function axis<A extends Axis>(colours: ChartColours, own: A): A {
  const text = { color: colours.muted, fontFamily: colours.font, fontSize: 11 }
  return {
    // A name at the end of the axis would be centred on it, and cut off at the edge.
    nameTextStyle: own.nameLocation === 'end' ? { ...text, align: 'left' as const } : text,
    nameGap: 10,
    axisLabel: { ...text, hideOverlap: true },
    axisLine: { lineStyle: { color: colours.line } },
    axisTick: { show: false },
    splitLine: { lineStyle: { color: colours.line, opacity: 0.6 } },
    axisPointer: { lineStyle: { color: colours.faint }, label: { show: false } },
    ...own,
  }
}

export const tooltip = (colours: ChartColours): TooltipComponentOption => ({
  renderMode: 'html',
  confine: true,
  transitionDuration: 0,
  backgroundColor: colours.raised,
  borderColor: colours.line,
  padding: [8, 10],
  extraCssText:
    'max-width: 440px; white-space: normal; box-shadow: var(--shadow-raised); border-radius: var(--radius-small);',
  textStyle: { color: colours.ink, fontFamily: colours.font, fontSize: 12 },
})

export type TooltipRow = { name: string; value: string; colour?: string | undefined }

/** The inside of a tooltip. Names come from people and from files, so nothing of them is taken as HTML. */
export function tooltipText(title: string, rows: readonly TooltipRow[]): string {
  const lines = rows.map(({ name, value, colour }) => {
    const dot = colour === undefined ? '' : `<span style="${dotStyle};background:${plain(colour)}"></span>`
    return `<div style="display:flex;align-items:center;gap:6px">${dot}<span>${plain(name)}</span><b style="${valueStyle}">${plain(value)}</b></div>`
  })
  return `<div style="margin-bottom:4px;font-weight:600">${plain(title)}</div>${lines.join('')}`
}

const dotStyle = 'flex:none;width:8px;height:8px;border-radius:4px'
const valueStyle = 'margin-left:auto;padding-left:16px;font-weight:500;font-variant-numeric:tabular-nums'
const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
/** As HTML and SVG show it; nothing in it is markup. */
export const plain = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character]!)
