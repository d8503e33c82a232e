// How the embedding table and the head are stored.
import { failure, success, type Result } from './errors.ts'

export const tableTypes = ['source', 'f16', 'rtn8', 'rtn4'] as const
export type TableType = (typeof tableTypes)[number]
export const tableWords: Record<TableType, string> = {
  source: 'as stored',
  f16: 'F16',
  rtn8: '8-bit codes',
  rtn4: '4-bit codes',
}
export type TableTypes = { embedding_type: TableType; head_type: TableType }

export const tableTitles: Record<keyof TableTypes, string> = { embedding_type: 'Embedding table', head_type: 'Head' }

/** What is said where nothing is said. */
export const asStored: TableTypes = { embedding_type: 'source', head_type: 'source' }

/** What is said of the tables, by key: nothing where they are as stored. */
export const chosenTables = ({ embedding_type, head_type }: Partial<TableTypes>): [keyof TableTypes, TableType][] =>
  (
    [
      ['embedding_type', embedding_type],
      ['head_type', head_type],
    ] as const
  ).flatMap(([key, type]) => (type === undefined || type === 'source' ? [] : [[key, type]]))

/** Columns that share a scale and a zero. */
export const tableGroup = 64

/** A tied model has one table for both, and one type for it. */
export function checkTables({ embedding_type, head_type }: TableTypes, { tied }: { tied: boolean }): Result<null> {
  if (!tied || head_type === 'source' || head_type === embedding_type) return success(null)
  return failure(
    'recipe_invalid',
    'The head of this model is its embedding table: embedding_type says how both are stored.',
  )
}
