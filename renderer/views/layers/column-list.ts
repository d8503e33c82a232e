// Columns as a list: which are listed, what is known of each, in which order they stand. Pure.
import type { PicturedLinear } from '../../../electron/contract/pictures.ts'
import type { Table } from '../../drawing/csv.ts'

/** [columns] each, in the order of the input columns; null: not known. */
export type ColumnNumbers = {
  hessian: Float32Array | null
  error: Float32Array | null
  /** 1 = salient, or with a second sign. */
  mark: Float32Array | null
  /** Salient weights. */
  count: Float32Array | null
}

export type ColumnRow = {
  column: number
  hessian: number | null
  /** By Hessian weight among all columns, the largest is 1; equal ones have one rank. */
  rank: number | null
  error: number | null
  count: number | null
}
export type SortKey = keyof ColumnRow
export type Sorting = { by: SortKey; descending: boolean }

/** What the list is of. */
export function listTitle(linear: PicturedLinear): string {
  if (linear.pictures.includes('mask')) return 'Columns with salient weights'
  if (!linear.pictures.includes('salient')) return 'Columns'
  return linear.method === 'signum-rc' ? 'Second-sign columns' : 'Salient columns'
}

export function columnRows(columns: number, { hessian, error, mark, count }: ColumnNumbers): ColumnRow[] {
  const ranks = hessian && ranksOf(hessian)
  const rows: ColumnRow[] = []
  for (let column = 0; column < columns; column++) {
    if ((mark ?? count)?.[column] === 0) continue
    rows.push({
      column,
      hessian: hessian?.[column] ?? null,
      rank: ranks?.[column] ?? null,
      error: error?.[column] ?? null,
      count: count?.[column] ?? null,
    })
  }
  return rows
}

function ranksOf(values: Float32Array): Uint32Array {
  const order = Array.from(values.keys()).sort((a, b) => values[b]! - values[a]!)
  const ranks = new Uint32Array(values.length)
  order.forEach((column, k) => {
    const before = order[k - 1]
    ranks[column] = before !== undefined && values[before] === values[column] ? ranks[before]! : k + 1
  })
  return ranks
}

/** What is not known stands last, equal ones as their columns lie. */
export function sorted(rows: readonly ColumnRow[], { by, descending }: Sorting): ColumnRow[] {
  return rows.toSorted((a, b) => {
    const [one, two] = [a[by], b[by]]
    if (one === null || two === null) return Number(one === null) - Number(two === null) || a.column - b.column
    return (descending ? two - one : one - two) || a.column - b.column
  })
}

/** The largest first, but of places and ranks the smallest. */
export const firstDescending = (by: SortKey) => by !== 'column' && by !== 'rank'

export const columnsTable = (rows: readonly ColumnRow[]): Table => ({
  columns: ['column', 'hessian_diagonal', 'hessian_rank', 'rms_error', 'salient_weights'],
  rows: rows.map(({ column, hessian, rank, error, count }) => [column, hessian, rank, error, count]),
})
