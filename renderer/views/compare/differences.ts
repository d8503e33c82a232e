// What differs: among the runs of a table by column, between two recipes by key.
import type { RunRow } from '../../../electron/contract/history.ts'
import { effectText } from '../../../electron/contract/override-text.ts'
import type { ParameterValue } from '../../../electron/contract/parameters.ts'
import { methods } from '../../../electron/contract/methods.ts'
import { joinWords } from '../../../electron/contract/recipe.ts'
import { chosenTables, tableTitles, tableWords } from '../../../electron/contract/tables.ts'
import type { Column } from './column.ts'
import type { Row } from './row.ts'

/** Columns in which not all rows have the same value; with fewer than two rows there is nothing that could differ. */
export function differingColumns(columns: readonly Column[], rows: readonly Row[]): Column[] {
  if (rows.length < 2) return [...columns]
  return columns.filter(({ value }) => {
    const first = value(rows[0]!)
    return rows.some((row) => !Object.is(value(row), first))
  })
}

export type RecipeDifference = {
  key: string
  /** Null: this recipe has no such thing. */
  left: string | null
  right: string | null
}

type Recipe = RunRow['recipe']

/** In the order of a recipe; models are not part of it, since each recipe may be run on any. */
export function recipeDifferences(left: Recipe, right: Recipe): RecipeDifference[] {
  const [a, b] = [recipeEntries(left), recipeEntries(right)]
  const keys = [...new Set([...a.keys(), ...b.keys()])].sort((one, other) => recipeOrder(one) - recipeOrder(other))
  return keys
    .map((key) => ({ key, left: a.get(key) ?? null, right: b.get(key) ?? null }))
    .filter((row) => row.left !== row.right)
}

/** A recipe as lines of key and value. */
export function recipeEntries({
  method,
  parameters,
  overrides,
  calibration,
  evaluations,
  ...tables
}: Recipe): Map<string, string> {
  const text = (value: ParameterValue | null) => (value === null ? 'context' : String(value))
  return new Map([
    ['method', method],
    ...Object.entries(parameters).map(([key, value]) => [key, text(value)] as const),
    ...overrides.map((one, at) => [`override ${at + 1}`, `${one.match}: ${effectText(one)}`] as const),
    ...chosenTables(tables).map(([key, type]) => [tableTitles[key].toLowerCase(), tableWords[type]] as const),
    ...Object.entries(calibration ?? {}).map(([key, value]) => [`calibration ${key}`, text(value)] as const),
    ...evaluations.map(
      ({ source, window, protocol, join }) =>
        [
          `evaluation ${source}`,
          `${protocol}, windows of ${text(window)}${join === 'raw' ? '' : `, ${joinWords[join]}`}`,
        ] as const,
    ),
  ])
}

const order = ['method', ...new Set(methods.flatMap(({ parameters }) => parameters.map(({ key }) => key)))]
/** Parameters that nobody knows after those that are known; texts last. Sorting is stable, so the rest stays as it was. */
export const recipeOrder = (key: string): number => {
  if (key.startsWith('calibration ')) return order.length + 1
  if (key.startsWith('evaluation ')) return order.length + 2
  const at = order.indexOf(key)
  return at < 0 ? order.length : at
}
