// Runs as lines over parallel axes: what was asked for on the left, what came out on the right. Pure.
import type { Table } from '../../../drawing/csv.ts'
import type { Column, Value } from '../column.ts'
import type { Row } from '../row.ts'
import { compareValues } from '../sorting.ts'
import { extent, wantsLog } from './scatter.ts'

/** More lines than this nobody tells apart, and a slow machine draws for a second. */
export const mostLines = 1000
const mostParameters = 7

export type ParallelAxis = {
  column: Column
  /** Of an axis of words and switches, from below; null: an axis of numbers. */
  categories: string[] | null
  log: boolean
}

const results = ['nominalBits', 'linearBits', 'fileBytes', 'outputError', 'seconds']

/** Method and parameters that differ among the rows, then bits, size, what was measured on the text, and time. */
export function parallelAxes(columns: readonly Column[], rows: readonly Row[], text: string): ParallelAxis[] {
  const asked = columns
    .filter(({ group, value }) => group === 'Parameter' && differs(rows.map(value)))
    .slice(0, mostParameters)
  const measured = [`packed ${text}`, `kld ${text}`, `sameTop ${text}`]
  const ids = ['method', ...results.slice(0, 3), ...measured, ...results.slice(3)]
  const others = ids.flatMap((id) => columns.find((column) => column.id === id) ?? [])
  return [...others.slice(0, 1), ...asked, ...others.slice(1)]
    .filter(({ value, id }) => id === 'method' || rows.some((row) => value(row) !== null))
    .map((column) => axisOf(column, rows))
}

/** Two that have it have it differently: methods that do not know a parameter say nothing of it. */
const differs = (values: readonly Value[]): boolean => new Set(values.filter((value) => value !== null)).size > 1

function axisOf(column: Column, rows: readonly Row[]): ParallelAxis {
  const values = rows.map(column.value)
  const there = values.filter((value) => value !== null)
  if (column.numeric && there.every((value) => typeof value === 'number')) {
    return { column, categories: null, log: wantsLog(there) }
  }
  const categories = [...new Set(there)].sort(compareValues).map(String)
  return { column, categories: [...new Set(categories)], log: false }
}

/** What a row has on an axis: a number, or the place of its category. */
export function placeOn({ column, categories }: ParallelAxis, row: Row): number | null {
  const value: Value = column.value(row)
  if (value === null) return null
  if (categories === null) return typeof value === 'number' ? value : null
  const at = categories.indexOf(String(value))
  return at < 0 ? null : at
}

/** Between both, by the axis' column: what a person marked on it. An axis without any is not in the way. */
export type Intervals = ReadonlyMap<string, readonly (readonly [number, number])[]>

/** Rows whose line passes every marked axis within one of its intervals. */
export function withinIntervals(rows: readonly Row[], axes: readonly ParallelAxis[], intervals: Intervals): Row[] {
  const marked = axes.flatMap((axis) => {
    const found = intervals.get(axis.column.id) ?? []
    return found.length === 0 ? [] : [{ axis, found }]
  })
  return rows.filter((row) =>
    marked.every(({ axis, found }) => {
      const value = placeOn(axis, row)
      return value !== null && found.some(([a, b]) => value >= Math.min(a, b) && value <= Math.max(a, b))
    }),
  )
}

/** Where each row's number lies between the least and the most, 0 to 1; null where it has none. */
export function sharesOf(axis: ParallelAxis, rows: readonly Row[]): (number | null)[] {
  const read = (row: Row) => {
    const value = placeOn(axis, row)
    return value !== null && axis.log ? Math.log(value) : value
  }
  const values = rows.map(read)
  const [least, most] = extent(values.filter((value) => value !== null))
  return values.map((value) => (value === null ? null : most > least ? (value - least) / (most - least) : 0.5))
}

export const parallelTable = (axes: readonly ParallelAxis[], rows: readonly Row[]): Table => ({
  columns: ['run', 'name', ...axes.map(({ column }) => axisTitle(column))],
  rows: rows.map((row) => [row.id, row.name, ...axes.map(({ column }) => column.value(row))]),
})

/** All axes are of one text, which the chart's title names. */
export const axisTitle = ({ title, id }: Column): string => (id.startsWith('packed ') ? 'Perplexity' : title)
