// Size against quality on one text: what is drawn, without saying how.
import type { Table } from '../../../drawing/csv.ts'
import type { Row } from '../row.ts'
import { xAxes, yAxes, type XAxis, type YAxis } from './axes.ts'
import { pareto } from './pareto.ts'

export type RunPoint = { row: Row; x: number; y: number; /** Of y. */ error: number | null }

/** Runs that may be compared: of one original, measured on the same tokens. */
export type Group = {
  id: string
  model: string
  points: RunPoint[]
  /** Of the runs that no other beats, from the smallest on. */
  front: RunPoint[]
  /** What the original has; its size is known where its folder is. */
  original: { y: number; bytes: number | null } | null
}

export type Scatter = {
  groups: Group[]
  /** Rows with a size, but without a finite y on this text. */
  missing: number
}

export type Wanted = { x: XAxis; y: YAxis; text: string }

export function scatterOf(rows: readonly Row[], { x, y, text }: Wanted): Scatter {
  const groups = new Map<string, Group>()
  let missing = 0
  for (const row of rows) {
    const across = xAxes[x].of(row)
    if (across === null) continue
    const measured = row.texts.get(text)
    const found = measured && yAxes[y].of(measured)
    if (!measured || !found || found.value === null) {
      missing++
      continue
    }
    const id = `${row.modelKey}\n${measured.sha256}`
    const group = groups.get(id) ?? { id, model: row.model, points: [], front: [], original: null }
    const original = yAxes[y].original(measured)
    if (original !== null) group.original ??= { bytes: row.originalBytes, y: original }
    group.points.push({ row, x: across, y: found.value, error: found.standard_error })
    groups.set(id, group)
  }
  const sign = yAxes[y].better === 'less' ? 1 : -1
  for (const group of groups.values()) {
    const points = group.points.map((point) => ({ x: point.x, y: sign * point.y }))
    group.front = pareto(points).map((index) => group.points[index]!)
  }
  return { groups: named([...groups.values()]), missing }
}

/** Two groups of one name: other tokens, or another folder of that name. */
function named(groups: Group[]): Group[] {
  const seen = new Map<string, number>()
  return groups.map((group) => {
    const times = (seen.get(group.model) ?? 0) + 1
    seen.set(group.model, times)
    return times === 1 ? group : { ...group, model: `${group.model} (${times})` }
  })
}

/** Over more than a decade and a bit, even distances would put all good runs on one line. */
export const wantsLog = (values: readonly number[]): boolean => {
  const [least, most] = extent(values)
  return least > 0 && most / least > 20
}

/** Without spreading: ten thousand arguments are too many for some engines. */
export const extent = (values: readonly number[]): [least: number, most: number] => [
  values.reduce((a, b) => Math.min(a, b), Infinity),
  values.reduce((a, b) => Math.max(a, b), -Infinity),
]

/** Round numbers below and above, with some room to both sides. */
export function roundRange(values: readonly number[]): { low: number; high: number; step: number } {
  const [low, high] = extent(values)
  if (!Number.isFinite(high - low)) return { low: 0, high: 1, step: 1 }
  const span = high - low || Math.abs(high) || 1
  const power = 10 ** Math.floor(Math.log10(span / 5))
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= span / 5.5)!
  const room = span * 0.06
  const round = (value: number) => Number((value * step).toPrecision(12))
  return { low: round(Math.floor((low - room) / step)), high: round(Math.ceil((high + room) / step)), step }
}

export function scatterTable(groups: readonly Group[], { x, y }: Pick<Wanted, 'x' | 'y'>): Table {
  const across = `${xAxes[x].title.toLowerCase()} ${x === 'fileBytes' ? 'in bytes' : xAxes[x].unit}`
  const up = yAxes[y].title.toLowerCase()
  return {
    columns: ['run', 'name', 'model', 'method', across, up, 'standard error', 'original', 'on the Pareto line'],
    rows: groups.flatMap(({ model, points, front, original }) => {
      const best = new Set(front)
      return points.map((point) => {
        const { id, name, method } = point.row
        return [id, name, model, method, point.x, point.y, point.error, original?.y ?? null, best.has(point)]
      })
    }),
  }
}
