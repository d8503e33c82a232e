// The order of the rows, and which of them a typed text finds.
import type { Column, Value } from './column.ts'
import type { Row } from './row.ts'

export type Sort = { column: string; descending: boolean }

const words = new Intl.Collator('en', { numeric: true, sensitivity: 'base' })
const rank = (value: ParameterLike) => ({ number: 0, boolean: 1, string: 2 })[typeof value as 'number']
type ParameterLike = NonNullable<Value>

/** Numbers before switches before words. */
export function compareValues(a: ParameterLike, b: ParameterLike): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (typeof a === 'string' && typeof b === 'string') return words.compare(a, b)
  return rank(a) - rank(b) || Number(a) - Number(b)
}

const empty = (value: Value): value is null | '' => value === null || value === ''

/** A new list. Rows without a value come last in either direction; among equals the newest run is first. */
export function sortRows(rows: readonly Row[], column: Column | undefined, descending: boolean): Row[] {
  const keyed = rows.map((row) => ({ row, value: column ? column.value(row) : null }))
  keyed.sort((a, b) => {
    const newest = b.row.id - a.row.id
    if (empty(a.value) || empty(b.value)) return Number(empty(a.value)) - Number(empty(b.value)) || newest
    return (descending ? -1 : 1) * compareValues(a.value, b.value) || newest
  })
  return keyed.map(({ row }) => row)
}

/** The next order when a head is chosen: what one wants to see first first, then the other way round. */
export const nextSort = (now: Sort, column: Column): Sort =>
  now.column === column.id
    ? { column: column.id, descending: !now.descending }
    : { column: column.id, descending: column.id === 'date' }

/** Every typed word stands in the name, the model or the method. */
export function filterRows(rows: readonly Row[], typed: string): Row[] {
  const wanted = typed.toLowerCase().split(/\s+/).filter(Boolean)
  if (wanted.length === 0) return [...rows]
  return rows.filter(({ name, model, method }) => {
    const text = `${name}\n${model}\n${method}`.toLowerCase()
    return wanted.every((word) => text.includes(word))
  })
}
