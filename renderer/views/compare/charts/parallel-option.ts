// The parallel coordinates as ECharts is told them. An axis has its column's id: so what is marked on it is told from the others.
import { colourAt, css, tableOf } from '../../../drawing/colours.ts'
import {
  tooltip,
  tooltipText,
  type ChartColours,
  type ChartOption,
  type MakeOption,
} from '../../../drawing/chart/option.ts'
import { runColour } from '../../../drawing/run-colour.ts'
import type { Row } from '../row.ts'
import { axisTitle, placeOn, sharesOf, type ParallelAxis } from './parallel.ts'
import { shortName } from './scatter-option.ts'

export const linesId = 'runs'
const viridis = tableOf('viridis')

/** In dark and light the ends of the map would vanish in the ground: a little is left out there. */
export const resultColour = (share: number, dark: boolean): string =>
  css(colourAt(viridis, dark ? 0.22 + 0.78 * share : 0.9 * share))

/** Methods are told apart by the colours that runs have. */
export const methodColour = (methods: readonly string[], method: string): string =>
  runColour(Math.max(0, methods.indexOf(method)))

export type ColourBy = 'run' | 'method' | (string & {})

/** CSS, by row. `by`: the run's own colour, its method, or the column of an axis of numbers. */
export function lineColours(axes: readonly ParallelAxis[], rows: readonly Row[], by: ColourBy, colours: ChartColours) {
  const axis = axes.find(({ column }) => column.id === by)
  if (axis?.categories === null) {
    const shares = sharesOf(axis, rows)
    return shares.map((share) => (share === null ? colours.faint : resultColour(share, colours.dark)))
  }
  const methods = [...new Set(rows.map(({ method }) => method))].sort()
  return rows.map(({ id, method }) => colours.resolve(by === 'method' ? methodColour(methods, method) : runColour(id)))
}

type Drawn = { axes: readonly ParallelAxis[]; rows: readonly Row[]; by: ColourBy; chosen: ReadonlySet<number> }

export function parallelOption({ axes, rows, by, chosen }: Drawn): MakeOption {
  return (colours) => {
    const lines = lineColours(axes, rows, by, colours)
    const text = { color: colours.muted, fontFamily: colours.font, fontSize: 11 }
    const marks = { width: 16, borderColor: colours.accent, borderWidth: 1.5, color: colours.accent, opacity: 0.3 }
    const opacity = rows.length > 300 ? 0.35 : rows.length > 60 ? 0.55 : 0.85
    const option = {
      parallel: {
        left: 44,
        right: 60,
        top: 46,
        bottom: 18,
        parallelAxisDefault: {
          nameLocation: 'end',
          nameGap: 16,
          nameTextStyle: { ...text, color: colours.ink },
          nameTruncate: { maxWidth: axes.length > 12 ? 72 : 110, ellipsis: '…' },
          axisLine: { lineStyle: { color: colours.line, width: 1.5 } },
          axisTick: { show: false },
          axisLabel: { ...text, hideOverlap: true },
          splitLine: { show: false },
          // A drag is heard at its end: what it chooses is drawn anew, which would end it.
          realtime: false,
        },
      },
      parallelAxis: axes.map(({ column, categories, log }, dim) => ({
        dim,
        id: column.id,
        name: axisTitle(column),
        areaSelectStyle: marks,
        ...(categories
          ? { type: 'category', data: categories, axisLabel: { ...text, width: 92, overflow: 'truncate' } }
          : {
              type: log ? 'log' : 'value',
              scale: true,
              axisLabel: { ...text, hideOverlap: true, formatter: (value: number) => shortNumber(column.id, value) },
            }),
      })),
      tooltip: { ...tooltip(colours), trigger: 'item' },
      series: [
        {
          type: 'parallel',
          id: linesId,
          name: 'Runs',
          inactiveOpacity: 0.06,
          activeOpacity: opacity,
          progressive: 0,
          smooth: 0,
          emphasis: { disabled: false, lineStyle: { width: 3.5, opacity: 1 } },
          data: rows.map((row, at) => ({
            name: row.name,
            value: axes.map((axis) => {
              const value = placeOn(axis, row)
              return value === null ? '-' : axis.categories ? axis.categories[value]! : value
            }),
            lineStyle: {
              color: lines[at]!,
              width: chosen.has(row.id) ? 2.5 : 1.4,
              opacity: chosen.has(row.id) ? 1 : opacity,
            },
          })),
          tooltip: {
            formatter: ({ dataIndex }: { dataIndex: number }) => {
              const row = rows[dataIndex]!
              return tooltipText(
                shortName(row),
                axes.map(({ column }) => ({ name: axisTitle(column), value: column.text(row) })),
              )
            },
          },
        },
      ],
    }
    // ECharts' types know this coordinate system only beside others that it is never used with.
    return option as unknown as ChartOption
  }
}

const shortNumber = (column: string, value: number): string => {
  if (column === 'fileBytes' || column === 'linearBytes' || column === 'peakBytes') {
    return value >= 1e9
      ? `${+(value / 1e9).toPrecision(3)} GB`
      : value >= 1e6
        ? `${+(value / 1e6).toPrecision(3)} MB`
        : `${+(value / 1e3).toPrecision(3)} kB`
  }
  if (column === 'seconds') return `${+value.toPrecision(3)} s`
  if (column.startsWith('sameTop ')) return `${+(100 * value).toPrecision(3)} %`
  return `${+value.toPrecision(3)}`
}
