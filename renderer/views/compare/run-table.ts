// The table's model, by TanStack Table: the order of all rows and their groups, the order and widths of the columns. The core
// is used and not its Svelte adapter, which keeps state in the effects of a component: here the state is the controller's,
// outlasts the view, and is tested without a page. Rows are ordered before they are filtered: a key that is pressed in the
// filter then costs a walk over the ordered rows.
import {
  columnGroupingFeature,
  columnOrderingFeature,
  columnSizingFeature,
  columnVisibilityFeature,
  constructTable,
  createGroupedRowModel,
  createSortedRowModel,
  rowSortingFeature,
  tableFeatures,
  type ColumnDef,
  type TableFeatures,
} from '@tanstack/svelte-table'
import type { Column } from './column.ts'
import { bestOf, groupOf, type Grouping } from './grouping.ts'
import type { Row } from './row.ts'
import { compareValues, type ParameterLike, type Sort } from './sorting.ts'

export type Group = { kind: 'group'; id: string; title: string; rows: readonly Row[]; open: boolean }
/** A line of the table: a run, or the head of a group. */
export type Line = { kind: 'run'; id: number; row: Row } | Group

/** Rows in order, together with those of their group. */
export type Ordered = { group: string | null; rows: readonly Row[] }[]

/** The one reader asks when something changed, so nobody has to be told. */
const plain = {
  createOptionsStore: false,
  wrapExternalAtoms: false,
  addSubscription: () => undefined,
  batch: (work: () => void) => work(),
  schedule: () => undefined,
  untrack: <T>(work: () => T) => work(),
  createReadonlyAtom: <T>(get: () => T) => ({ get, subscribe: () => unheard }),
  createWritableAtom: <T>(first: T) => {
    let now = first
    const set = (next: T | ((before: T) => T)) => void (now = next instanceof Function ? next(now) : next)
    return { get: () => now, set, subscribe: () => unheard }
  },
} as unknown as NonNullable<TableFeatures['coreReactivityFeature']>
const unheard = { unsubscribe: () => undefined }

const features = tableFeatures({
  coreReactivityFeature: plain,
  rowSortingFeature,
  sortedRowModel: createSortedRowModel(),
  columnGroupingFeature,
  groupedRowModel: createGroupedRowModel(),
  columnOrderingFeature,
  columnVisibilityFeature,
  columnSizingFeature,
})

/** Smaller, no number can be read in it. */
export const leastWidth = 56
const empty = (value: unknown) => value === null || value === ''
const groupColumn = 'group of the row'

export class RunTable {
  #table = constructTable<typeof features, Row>({
    features,
    data: [],
    columns: [],
    getRowId: ({ id }) => String(id),
    sortDescFirst: false,
    groupedColumnMode: false,
  })
  #columns: readonly Column[] = []
  #grouping: Grouping | null = null

  #set(rows: readonly Row[], columns: readonly Column[], grouping: Grouping | null): void {
    const same = columns === this.#columns && grouping === this.#grouping
    const defined = same ? this.#table.options.columns : this.#define(columns, grouping)
    this.#columns = columns
    this.#grouping = grouping
    this.#table.setOptions((before) => ({ ...before, data: rows, columns: defined }))
  }

  #define(columns: readonly Column[], grouping: Grouping | null) {
    const defined = columns.map((column) => ({
      id: column.id,
      // Without a value a row comes last in either direction.
      accessorFn: (row: Row) => {
        const value = column.value(row)
        return empty(value) ? undefined : value
      },
      sortUndefined: 'last' as const,
      sortFn: (a: { getValue: (id: string) => unknown }, b: { getValue: (id: string) => unknown }, id: string) =>
        compareValues(a.getValue(id) as ParameterLike, b.getValue(id) as ParameterLike),
      size: column.width,
      minSize: leastWidth,
    }))
    const group = { id: groupColumn, accessorFn: (row: Row) => groupOf(row, grouping ?? 'method') }
    return [...defined, group] as unknown as ColumnDef<typeof features, Row>[]
  }

  /** `rows`: newest first, which decides where the columns say the same. Groups come as their first row does. */
  order(rows: readonly Row[], columns: readonly Column[], sorts: readonly Sort[], grouping: Grouping | null): Ordered {
    this.#set(rows, columns, grouping)
    const sorting = sorts.map(({ column, descending }) => ({ id: column, desc: descending }))
    this.#table.setSorting(sorting)
    this.#table.setGrouping(grouping === null ? [] : [groupColumn])
    const model = this.#table.getSortedRowModel().rows
    if (grouping === null) return [{ group: null, rows: model.map(({ original }) => original) }]
    return model.map((row) => ({
      group: String(row.getValue(groupColumn)),
      rows: row.subRows.map(({ original }) => original),
    }))
  }

  /** Those that are shown, in their order, with the widths that somebody gave them. */
  columns(
    columns: readonly Column[],
    shown: ReadonlySet<string>,
    order: readonly string[],
    widths: Readonly<Record<string, number>>,
  ): { column: Column; width: number }[] {
    this.#set(this.#table.options.data, columns, this.#grouping)
    this.#table.setColumnOrder([...order])
    this.#table.setColumnVisibility(Object.fromEntries(columns.map(({ id }) => [id, shown.has(id)])))
    this.#table.setColumnSizing({ ...widths })
    const known = new Map(columns.map((column) => [column.id, column]))
    return this.#table.getVisibleLeafColumns().flatMap((leaf) => {
      const column = known.get(leaf.id)
      return column ? [{ column, width: leaf.getSize() }] : []
    })
  }
}

/** The lines that are drawn. A group without a row that is found has no line. */
export function linesOf(ordered: Ordered, found: (row: Row) => boolean, closed: ReadonlySet<string>): Line[] {
  const lines: Line[] = []
  for (const { group, rows: all } of ordered) {
    const rows = all.filter(found)
    if (group === null) return rows.map((row) => ({ kind: 'run', id: row.id, row }))
    if (rows.length === 0) continue
    const open = !closed.has(group)
    lines.push({ kind: 'group', id: `group ${group}`, title: group, rows, open })
    if (open) for (const row of rows) lines.push({ kind: 'run', id: row.id, row })
  }
  return lines
}

export const bestIn = (group: Group, column: Column): Row | null => bestOf(column, group.rows)
