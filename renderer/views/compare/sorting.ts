// The order of values, and of columns by which rows are put in order.
import type { Column, Value } from './column.ts'

export type Sort = { column: string; descending: boolean }

const words = new Intl.Collator('en', { numeric: true, sensitivity: 'base' })
const rank = (value: ParameterLike) => ({ number: 0, boolean: 1, string: 2 })[typeof value as 'number']
export type ParameterLike = NonNullable<Value>

/** Numbers before switches before words. */
export function compareValues(a: ParameterLike, b: ParameterLike): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (typeof a === 'string' && typeof b === 'string') return words.compare(a, b)
  return rank(a) - rank(b) || Number(a) - Number(b)
}

/** The next order when a head is chosen: what one wants to see first first, then the other way round. With Shift it is
 * asked after the others, turned round, and then no more. */
export function nextSorts(now: readonly Sort[], { id }: Pick<Column, 'id'>, more: boolean): Sort[] {
  const first = { column: id, descending: id === 'date' }
  const at = now.findIndex(({ column }) => column === id)
  const turned = { column: id, descending: !now[at]?.descending }
  if (!more) return [at === 0 ? turned : first]
  if (at < 0) return [...now, first]
  const over = now[at]!.descending !== first.descending
  return over && now.length > 1 ? now.toSpliced(at, 1) : now.with(at, turned)
}
