// By what runs can be put together, and which of a group is the best by a column.
import { findMethod } from '../../../electron/contract/methods.ts'
import { betterOf, type Column } from './column.ts'
import type { Row } from './row.ts'

export const groupings = ['method', 'model', 'tags', 'budget', 'status', 'calibration'] as const
export type Grouping = (typeof groupings)[number]

export const groupingTitles: Readonly<Record<Grouping, string>> = {
  method: 'Method',
  model: 'Model',
  tags: 'Tags',
  budget: 'Bit budget',
  status: 'Status',
  calibration: 'Calibration',
}

/** Linear bits per weight, in steps of a quarter. */
export function budgetOf({ linearBits }: Row): string {
  if (linearBits === null) return 'no bits yet'
  const from = Math.floor(linearBits * 4) / 4
  return `${from.toFixed(2)} to ${(from + 0.25).toFixed(2)} linear bits`
}

export function groupOf(row: Row, by: Grouping): string {
  switch (by) {
    case 'method': {
      const method = findMethod(row.method)
      return method.ok ? method.value.title : row.method
    }
    case 'model':
      return row.model
    case 'tags':
      return row.tags.length === 0 ? 'no tags' : row.tags.join(', ')
    case 'budget':
      return budgetOf(row)
    case 'status':
      return row.status
    case 'calibration':
      return row.calibration
  }
}

/** Null where no row has a number, or where less is neither better nor worse. */
export function bestOf(column: Column, rows: readonly Row[]): Row | null {
  if (!column.delta) return null
  let best: { row: Row; value: number } | null = null
  for (const row of rows) {
    const value = column.value(row)
    if (typeof value === 'number' && (best === null || betterOf(column, value, best.value))) best = { row, value }
  }
  return best?.row ?? null
}
