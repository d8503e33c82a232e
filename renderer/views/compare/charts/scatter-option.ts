// The scatter as ECharts is told it.
import { bits, size } from '../../../../electron/contract/quantities.ts'
import { axis, tooltip, tooltipText, type ChartColours, type MakeOption } from '../../../drawing/chart/option.ts'
import { seriesSymbol } from '../../../drawing/chart/symbols.ts'
import { runColour } from '../../../drawing/run-colour.ts'
import type { Row } from '../row.ts'
import { xAxes, yAxes, type Scale, type XAxis, type YAxis } from './axes.ts'
import { bitsText, type PublishedPoint } from './published.ts'
import { extent, roundRange, wantsLog, type Group, type RunPoint } from './scatter.ts'

export const symbols = ['circle', 'rect', 'triangle', 'diamond'] as const
export const symbolOf = (group: number) => symbols[group % symbols.length]!

export type Marks = { active: number | null; baseline: number | null; chosen: ReadonlySet<number> }
export type Drawn = {
  groups: readonly Group[]
  published: readonly PublishedPoint[]
  x: XAxis
  y: YAxis
  scale: Scale
  /** As it is called. */
  text: string
  marks: Marks
}

export const publishedId = 'published'
const frontId = (id: string) => `front ${id}`

/** Wheel and drag; nothing is dropped from the lines, which would end at the edge else. */
const zoomBothAxes = [
  { type: 'inside' as const, xAxisIndex: 0, filterMode: 'none' as const },
  { type: 'inside' as const, yAxisIndex: 0, filterMode: 'none' as const },
]

/** Whether y can be logarithmic, and is. */
export function isLog({ groups, published, y, scale }: Pick<Drawn, 'groups' | 'published' | 'y' | 'scale'>): boolean {
  const values = yValues(groups, published)
  if (y === 'sameTop' || scale === 'linear' || !(extent(values)[0] > 0)) return false
  return scale === 'log' || wantsLog(values)
}

/** The originals too, where they are not zero: that is nowhere on a logarithmic axis. */
const yValues = (groups: readonly Group[], published: readonly PublishedPoint[]): number[] => [
  ...groups.flatMap(({ points }) => points.map((point) => point.y)),
  ...groups.flatMap(({ original }) => (original && original.y !== 0 ? [original.y] : [])),
  ...published.map((point) => point.y),
]

export function scatterOption(drawn: Drawn): MakeOption {
  const { groups, published, x, y, text } = drawn
  const [across, up] = [xAxes[x], yAxes[y]]
  const xs = [...groups.flatMap(({ points }) => points.map((point) => point.x)), ...published.map((point) => point.x)]
  const ys = yValues(groups, published)
  const [xLog, yLog] = [x === 'fileBytes' && wantsLog(xs), isLog(drawn)]
  const range = roundRange(!yLog && groups.some(({ original }) => original?.y === 0) ? [0, ...ys] : ys)
  return (colours) => ({
    dataZoom: zoomBothAxes,
    grid: { left: 8, right: 24, top: 28, bottom: 30, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    xAxis: axis(colours, {
      type: xLog ? 'log' : 'value',
      name: `${across.title.toLowerCase()}${x === 'fileBytes' ? '' : ` ${across.unit}`}${xLog ? ', logarithmic' : ''}`,
      nameLocation: 'middle',
      nameGap: 28,
      scale: true,
      axisLabel: { color: colours.muted, fontSize: 11, hideOverlap: true, formatter: across.text },
    }),
    yAxis: axis(colours, {
      type: yLog ? 'log' : 'value',
      name: `${up.title.toLowerCase()} on ${text}${yLog ? ', logarithmic' : ''}${up.better === 'more' ? ', more is better' : ''}`,
      nameLocation: 'end',
      nameTextStyle: { ...small(colours), align: 'left', padding: [0, 0, 0, -8] },
      axisLabel: { color: colours.muted, fontSize: 11, hideOverlap: true, formatter: tick(y) },
      ...(yLog
        ? { scale: true, logBase: wantsLog(ys) ? 10 : 2 }
        : { min: Math.max(range.low, y === 'kld' ? 0 : -Infinity), max: range.high, interval: range.step }),
    }),
    tooltip: { ...tooltip(colours), trigger: 'item' },
    series: [
      ...groups.flatMap((group, index) => groupSeries(colours, group, index, drawn, yLog)),
      ...(published.length === 0 ? [] : [publishedSeries(colours, published)]),
    ],
  })
}

const small = ({ muted, font }: ChartColours) => ({ color: muted, fontFamily: font, fontSize: 11 })

const tick = (y: YAxis) => (value: number) =>
  y === 'sameTop' ? `${Number((100 * value).toFixed(3))} %` : `${Number(value.toPrecision(4))}`

function groupSeries(colours: ChartColours, group: Group, index: number, drawn: Drawn, yLog: boolean) {
  const { id, model, points, front, original } = group
  const { active, baseline, chosen } = drawn.marks
  const { groups, y } = drawn
  const usual = points.length > 1000 ? 5 : points.length > 200 ? 7 : 10
  const best = new Set(front)
  const label = { ...small(colours), show: true, position: 'right' as const, distance: 6 }
  return [
    {
      type: 'line' as const,
      id: frontId(id),
      data: front.map((point) => [point.x, point.y]),
      step: 'end' as const,
      symbol: 'none',
      silent: true,
      lineStyle: { width: 1.25, color: points.length > 200 ? colours.ink : colours.faint },
      tooltip: { show: false },
      z: points.length > 200 ? 3 : 1,
      ...(original &&
        !(yLog && original.y === 0) && {
          markLine: {
            silent: true,
            symbol: 'none',
            lineStyle: { color: colours.faint, type: 'dashed' as const, width: 1 },
            label: {
              ...small(colours),
              position: index % 2 === 0 ? ('insideStartTop' as const) : ('insideEndTop' as const),
              formatter: [
                groups.length > 1 ? model : 'original',
                yAxes[y].text(original.y),
                ...(original.bytes === null ? [] : [size(original.bytes)]),
              ].join(', '),
            },
            data: [{ yAxis: original.y }],
          },
        }),
    },
    {
      type: 'scatter' as const,
      id,
      name: model,
      symbol: symbolOf(index),
      z: 2,
      emphasis: { scale: 1.5, itemStyle: { borderColor: colours.ink, borderWidth: 2 } },
      // Above the line, which goes on to the right.
      labelLayout: { hideOverlap: true, dy: -9 },
      data: points.map((point) => {
        const { row } = point
        const marked = row.id === active || chosen.has(row.id) || row.id === baseline
        return {
          value: [point.x, point.y],
          symbolSize: row.id === active ? 16 : marked ? 13 : usual,
          itemStyle: {
            color: colours.resolve(runColour(row.id)),
            borderColor: marked ? colours.ink : colours.panel,
            borderWidth: marked ? 2 : 1,
            opacity: 1,
          },
          ...(best.has(point) ? { label: { ...label, formatter: shortName(row) } } : {}),
        }
      }),
      tooltip: {
        formatter: ({ dataIndex }: { dataIndex: number }) => pointText(points[dataIndex]!, group, drawn),
      },
    },
  ]
}

/** Names begin with the model's until somebody renames the run; of long ones the end says less than the beginning. */
export function shortName({ name, model }: Pick<Row, 'name' | 'model'>): string {
  const short = name.startsWith(`${model} `) ? name.slice(model.length + 1) : name
  // Braces and bars mean something to a formatter of ECharts.
  return (short.length > 28 ? `${short.slice(0, 27)}…` : short).replace(/[{}|]/g, ' ')
}

function pointText({ row, x, y, error }: RunPoint, { model, original }: Group, drawn: Drawn): string {
  const [across, up] = [xAxes[drawn.x], yAxes[drawn.y]]
  return tooltipText(row.name, [
    { name: up.title.toLowerCase(), value: error === null ? up.text(y) : `${up.text(y)} ± ${up.text(error)}` },
    ...(original ? [{ name: 'original', value: up.text(original.y) }] : []),
    { name: across.title.toLowerCase(), value: across.text(x) },
    ...(drawn.x !== 'fileBytes' && row.fileBytes !== null ? [{ name: 'file size', value: size(row.fileBytes) }] : []),
    ...(drawn.x !== 'linearBits' && row.linearBits !== null
      ? [{ name: 'linear bits', value: bits(row.linearBits) }]
      : []),
    { name: 'method', value: row.method },
    { name: 'model', value: model },
  ])
}

function publishedSeries(colours: ChartColours, points: readonly PublishedPoint[]) {
  const oneModel = new Set(points.map(({ model }) => model)).size === 1
  return {
    type: 'scatter' as const,
    id: publishedId,
    name: publishedTitle,
    symbol: seriesSymbol('cross'),
    symbolSize: 9,
    z: 1,
    itemStyle: { color: colours.faint, opacity: 0.9 },
    emphasis: { scale: 1.5, itemStyle: { color: colours.ink } },
    labelLayout: { hideOverlap: true },
    label: {
      ...small(colours),
      show: oneModel,
      position: 'right' as const,
      distance: 5,
      formatter: ({ dataIndex }: { dataIndex: number }) => points[dataIndex]!.method.split(',')[0]!,
    },
    data: points.map(({ x, y }) => [x, y]),
    tooltip: {
      formatter: ({ dataIndex }: { dataIndex: number }) => {
        const { method, model, perplexity, original, y, nominalBits, linearBits, source } = points[dataIndex]!
        return tooltipText(`${method} on ${model}`, [
          { name: 'published, other protocol', value: 'WikiText-2, windows of 2048' },
          { name: 'perplexity', value: String(perplexity) },
          { name: 'original', value: String(original) },
          { name: 'ratio to the original', value: yAxes.ratio.text(y) },
          { name: 'nominal bits, as the source counts', value: bitsText(nominalBits) },
          ...(linearBits === null ? [] : [{ name: 'linear bits of the same format', value: bitsText(linearBits) }]),
          { name: 'source', value: source },
        ])
      },
    },
  }
}

export const publishedTitle = 'published, other protocol'
