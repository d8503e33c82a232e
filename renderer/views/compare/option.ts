// The scatter as ECharts is told it.
import { bits, perplexity, size } from '../../../electron/contract/quantities.ts'
import { axis, tooltip, tooltipText, type MakeOption } from '../../drawing/chart/option.ts'
import { runColourFor } from '../../drawing/run-colour.ts'
import { roundRange, wantsLog, type Group, type RunPoint } from './scatter.ts'

export const symbols = ['circle', 'rect', 'triangle', 'diamond'] as const
export const symbolOf = (group: number) => symbols[group % symbols.length]!

export type Marks = { active: number | null; baseline: number | null; chosen: ReadonlySet<number> }

/** Wheel and drag; nothing is dropped from the lines, which would end at the edge else. */
const zoomBothAxes = [
  { type: 'inside' as const, xAxisIndex: 0, filterMode: 'none' as const },
  { type: 'inside' as const, yAxisIndex: 0, filterMode: 'none' as const },
]

const frontId = (id: string) => `front ${id}`

export function scatterOption(groups: readonly Group[], text: string, { active, baseline, chosen }: Marks): MakeOption {
  const points = groups.flatMap((group) => group.points)
  const originals = groups.flatMap(({ original }) => (original ? [original.perplexity] : []))
  const [xLog, yLog] = [wantsLog(points.map(({ x }) => x)), wantsLog([...points.map(({ y }) => y), ...originals])]
  const usual = points.length > 1000 ? 5 : points.length > 200 ? 7 : 10
  const range = roundRange([...points.map(({ y }) => y), ...originals])
  return (colours) => ({
    dataZoom: zoomBothAxes,
    grid: { left: 8, right: 24, top: 28, bottom: 30, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    xAxis: axis(colours, {
      type: xLog ? 'log' : 'value',
      name: `file size${xLog ? ', logarithmic' : ''}`,
      nameLocation: 'middle',
      nameGap: 28,
      scale: true,
      axisLabel: { color: colours.muted, fontSize: 11, hideOverlap: true, formatter: (bytes: number) => size(bytes) },
    }),
    yAxis: axis(colours, {
      type: yLog ? 'log' : 'value',
      name: `perplexity on ${text}${yLog ? ', logarithmic' : ''}`,
      nameLocation: 'end',
      nameTextStyle: {
        color: colours.muted,
        fontFamily: colours.font,
        fontSize: 11,
        align: 'left',
        padding: [0, 0, 0, -8],
      },
      ...(yLog ? { scale: true } : { min: range.low, max: range.high, interval: range.step }),
    }),
    tooltip: { ...tooltip(colours), trigger: 'item' },
    series: groups.flatMap(({ id, model, points, front, original }, index) => [
      {
        type: 'line' as const,
        id: frontId(id),
        data: front.map(({ x, y }) => [x, y]),
        step: 'end' as const,
        symbol: 'none',
        silent: true,
        lineStyle: { width: 1.25, color: points.length > 200 ? colours.ink : colours.faint },
        tooltip: { show: false },
        z: points.length > 200 ? 3 : 1,
        ...(original && {
          markLine: {
            silent: true,
            symbol: 'none',
            lineStyle: { color: colours.faint, type: 'dashed' as const, width: 1 },
            label: {
              color: colours.muted,
              fontFamily: colours.font,
              fontSize: 11,
              position: index % 2 === 0 ? ('insideEndBottom' as const) : ('insideStartBottom' as const),
              formatter: originalText(groups.length > 1 ? model : 'original', original),
            },
            data: [{ yAxis: original.perplexity }],
          },
        }),
      },
      {
        type: 'scatter' as const,
        id,
        name: model,
        symbol: symbolOf(index),
        z: 2,
        emphasis: { scale: 1.3 },
        data: points.map((point) => {
          const marked = point.id === active || chosen.has(point.id) || point.id === baseline
          return {
            value: [point.x, point.y],
            symbolSize: point.id === active ? 16 : marked ? 13 : usual,
            itemStyle: {
              color: runColourFor(point.id, colours.dark),
              borderColor: marked ? colours.ink : colours.panel,
              borderWidth: marked ? 2 : 1,
              opacity: 1,
            },
          }
        }),
        tooltip: {
          formatter: ({ dataIndex }: { dataIndex: number }) => pointText(points[dataIndex]!, model, original),
        },
      },
    ]),
  })
}

const originalText = (name: string, { bytes, perplexity: value }: NonNullable<Group['original']>): string =>
  [name, value.toFixed(2), ...(bytes === null ? [] : [size(bytes)])].join(', ')

function pointText(point: RunPoint, model: string, original: Group['original']): string {
  return tooltipText(point.name, [
    { name: 'perplexity', value: perplexity({ value: point.y, standard_error: point.error }) },
    ...(original ? [{ name: 'original', value: original.perplexity.toFixed(2) }] : []),
    { name: 'file size', value: size(point.x) },
    ...(point.linearBits === null ? [] : [{ name: 'linear bits', value: bits(point.linearBits) }]),
    { name: 'model', value: model },
  ])
}
