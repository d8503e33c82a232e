// How a model's error grows with depth: one line per kind of linear, or per run. Pure.
import type { LayerReport } from '../../../electron/contract/records.ts'
import type { Table } from '../csv.ts'
import type { LayerNumber } from '../layer-number.ts'
import { inBlockOrder, kindColour, kindName, kindSymbol } from '../kind-colour.ts'
import { axis, tooltip, tooltipText, type MakeOption } from './option.ts'

export const measures = {
  relative_output_error: 'relative output error',
  relative_weight_error: 'relative weight error',
} as const
export type Measure = keyof typeof measures

export type DepthSeries = {
  id: string
  name: string
  /** CSS. */
  colour: string
  /** As ECharts names it. */
  symbol: string
  /** Decoder layer and value, by layer. */
  points: [layer: number, value: number][]
}

/** Output error where there is any: a method that reads no text has only the weights' own. */
export const measureOf = (reports: readonly Pick<LayerReport, Measure>[]): Measure =>
  reports.length > 0 && reports.every(({ relative_output_error: error }) => error === null)
    ? 'relative_weight_error'
    : 'relative_output_error'

type Measured = Pick<LayerReport, 'layer' | 'kind' | Measure>

/** One series per kind, in the order of the decoder block. What was not finite is left out. */
export const errorByKind = (reports: readonly Measured[], measure: Measure): DepthSeries[] =>
  numberByKind(reports, (report) => report[measure])

/** The mean over a layer's linears, by parameters: what one line of a whole run shows. */
export function errorByLayer(
  reports: readonly (Measured & Pick<LayerReport, 'rows' | 'columns'>)[],
  measure: Measure,
): DepthSeries['points'] {
  const sums = new Map<number, { weighted: number; weights: number }>()
  for (const { layer, rows, columns, [measure]: value } of reports) {
    if (value === null) continue
    const { weighted, weights } = sums.get(layer) ?? { weighted: 0, weights: 0 }
    sums.set(layer, { weighted: weighted + value * rows * columns, weights: weights + rows * columns })
  }
  return [...sums]
    .map(([layer, { weighted, weights }]): [number, number] => [layer, weighted / weights])
    .sort(([a], [b]) => a - b)
}

/** What the lines show: its name, and how a value is written. */
export type Shown = Pick<LayerNumber, 'title' | 'text' | 'fromZero'>

/** The same for any number of a linear. */
export function numberByKind<L extends { layer: number; kind: string }>(
  linears: readonly L[],
  of: (linear: L) => number | null,
): DepthSeries[] {
  return inBlockOrder(linears.map(({ kind }) => kind)).map((kind) => ({
    id: kind,
    name: kindName(kind),
    colour: kindColour(kind),
    symbol: kindSymbol(kind),
    points: linears
      .filter((one) => one.kind === kind)
      .flatMap((one): [number, number][] => {
        const value = of(one)
        return value === null ? [] : [[one.layer, value]]
      })
      .sort(([a], [b]) => a - b),
  }))
}

/** `layers`: of the model, so that the axis is as long before the last one is done. */
export function depthOption(series: readonly DepthSeries[], layers: number, measure: Measure | Shown): MakeOption {
  const { title, text, fromZero } =
    typeof measure === 'string' ? { title: measures[measure], text: errorText, fromZero: true } : measure
  return (colours) => ({
    grid: { left: 8, right: 16, top: 30, bottom: 26, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    xAxis: axis(colours, {
      type: 'value',
      name: 'decoder layer',
      nameLocation: 'middle',
      nameGap: 26,
      min: 0,
      max: Math.max(1, layers - 1),
      minInterval: 1,
      splitLine: { show: false },
    }),
    yAxis: axis(colours, {
      type: 'value',
      name: title,
      nameLocation: 'end',
      ...(fromZero ? { min: 0 } : { scale: true }),
    }),
    tooltip: {
      ...tooltip(colours),
      trigger: 'axis',
      axisPointer: { type: 'line', snap: true },
      formatter: (points) => {
        const shown = [points].flat() as { seriesName?: string; color?: unknown; value?: unknown }[]
        const layer = (shown[0]?.value as [number, number] | undefined)?.[0]
        return tooltipText(
          `Layer ${layer}`,
          shown.map(({ seriesName = '', color, value }) => ({
            name: seriesName,
            value: text((value as [number, number])[1]),
            colour: typeof color === 'string' ? color : undefined,
          })),
        )
      },
    },
    series: series.map(({ id, name, colour, symbol, points }) => {
      const color = colours.resolve(colour)
      return {
        type: 'line' as const,
        id,
        name,
        data: points,
        symbol,
        symbolSize: layers > 40 ? 4 : 7,
        showSymbol: layers <= 64,
        lineStyle: { width: 1.75, color },
        itemStyle: { color },
        emphasis: { focus: 'series' as const },
      }
    }),
  })
}

export const errorText = (value: number | null): string => (value === null ? 'not finite' : value.toFixed(4))

/** The points of all series, one column a series. */
export function depthTable(series: readonly DepthSeries[], measure: string): Table {
  const layers = [...new Set(series.flatMap(({ points }) => points.map(([layer]) => layer)))].sort((a, b) => a - b)
  const values = series.map(({ points }) => new Map(points))
  return {
    columns: ['layer', ...series.map(({ name }) => `${name}, ${measure}`)],
    rows: layers.map((layer) => [layer, ...values.map((value) => value.get(layer) ?? null)]),
  }
}
