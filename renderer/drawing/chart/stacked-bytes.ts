// Where the bytes of the linears go, as stacked bars: one bar per decoder layer, or per kind of linear. Pure.
import { size } from '../../../electron/contract/quantities.ts'
import type { LinearBytes } from '../../../electron/contract/records.ts'
import type { Table } from '../csv.ts'
import { partLooks } from '../file-parts.ts'
import { inBlockOrder, kindName } from '../kind-colour.ts'
import { axis, tooltip, tooltipText, type MakeOption } from './option.ts'

/** Without the columns of a linear's name and place. */
export type Part = Exclude<keyof LinearBytes['linears'][number], 'name' | 'layer' | 'kind'> | 'rest'

const parts: readonly Part[] = ['codes', 'signs', 'second', 'bitmaps', 'scales', 'order', 'kept', 'rest']

export type Bar = { name: string; bytes: Readonly<Record<Part, number>>; total: number }
export type Grouping = 'layer' | 'kind'

const nothing = (): Record<Part, number> => ({
  codes: 0,
  signs: 0,
  second: 0,
  bitmaps: 0,
  scales: 0,
  order: 0,
  kept: 0,
  rest: 0,
})

/** Bars in the order of the model. Norms and biases count with their layer, or make a bar of their own beside the kinds. */
export function barsOf({ linears, layers }: LinearBytes, by: Grouping): Bar[] {
  const sums = new Map<string, Record<Part, number>>()
  const at = (key: string) => {
    const sum = sums.get(key) ?? nothing()
    sums.set(key, sum)
    return sum
  }
  const keys =
    by === 'kind'
      ? inBlockOrder(linears.map(({ kind }) => kind))
      : [...new Set([...linears, ...layers].map(({ layer }) => layer ?? 0))].sort((a, b) => a - b).map(String)
  for (const key of keys) at(key)
  for (const { layer, kind, ...bytes } of linears) {
    const sum = at(by === 'kind' ? kind : String(layer ?? 0))
    for (const part of parts) if (part !== 'rest') sum[part] += bytes[part]
  }
  for (const { layer, rest } of layers) at(by === 'kind' ? norms : String(layer)).rest += rest
  return [...sums].map(([key, bytes]) => ({
    name: by === 'kind' && key !== norms ? kindName(key) : key,
    bytes,
    total: Object.values(bytes).reduce((sum, one) => sum + one, 0),
  }))
}
const norms = 'norms'

/** Of which there is something. */
export const partsIn = (bars: readonly Bar[]): { part: Part; name: string; colour: string }[] =>
  parts.filter((part) => bars.some(({ bytes }) => bytes[part] > 0)).map((part) => ({ part, ...partLooks[part] }))

/** The same bars with some parts left out. */
export const withoutParts = (bars: readonly Bar[], hidden: ReadonlySet<string>): Bar[] =>
  bars.map(({ name, bytes }) => {
    const left = { ...nothing(), ...Object.fromEntries(Object.entries(bytes).filter(([part]) => !hidden.has(part))) }
    return { name, bytes: left, total: Object.values(left).reduce((sum, one) => sum + one, 0) }
  })

export function bytesOption(bars: readonly Bar[], by: Grouping): MakeOption {
  return (colours) => ({
    grid: { left: 8, right: 16, top: 30, bottom: 26, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    xAxis: axis(colours, {
      type: 'category',
      data: bars.map(({ name }) => name),
      name: by === 'layer' ? 'decoder layer' : 'kind of linear, all layers together',
      nameLocation: 'middle',
      nameGap: 26,
      splitLine: { show: false },
    }),
    yAxis: axis(colours, {
      type: 'value',
      name: 'bytes in the packed files',
      nameLocation: 'end',
      min: 0,
      axisLabel: {
        color: colours.muted,
        fontFamily: colours.font,
        fontSize: 11,
        formatter: (value: number) => size(value),
      },
    }),
    tooltip: {
      ...tooltip(colours),
      trigger: 'axis',
      axisPointer: { type: 'shadow' },
      formatter: (points) => {
        const place = ([points].flat()[0] as { dataIndex?: number } | undefined)?.dataIndex ?? 0
        const bar = bars[place]
        if (!bar) return ''
        const rows = partsIn([bar]).map(({ part, name, colour }) => ({
          name,
          value: size(Math.round(bar.bytes[part])),
          colour: colours.resolve(colour),
        }))
        const title = by === 'layer' ? `Layer ${bar.name}` : bar.name
        return tooltipText(title, [...rows, { name: 'Together', value: size(Math.round(bar.total)) }])
      },
    },
    series: partsIn(bars).map(({ part, name, colour }) => ({
      type: 'bar' as const,
      id: part,
      name,
      stack: 'bytes',
      barMaxWidth: 44,
      barCategoryGap: bars.length > 40 ? '12%' : '28%',
      data: bars.map(({ bytes }) => bytes[part]),
      itemStyle: { color: colours.resolve(colour) },
      emphasis: { focus: 'series' as const },
    })),
  })
}

/** A row a bar, a column a part. */
export function bytesTable(bars: readonly Bar[], by: Grouping): Table {
  const shown = partsIn(bars)
  return {
    columns: [by, ...shown.map(({ name }) => `${name}, bytes`), 'total, bytes'],
    rows: bars.map(({ name, bytes, total }) => [name, ...shown.map(({ part }) => bytes[part]), total]),
  }
}
