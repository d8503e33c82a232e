import { expect, test } from 'vitest'
import { asStored, checkTables, chosenTables } from './tables.ts'

test('a tied model has one type for its table', () => {
  const [tied, untied] = [{ tied: true }, { tied: false }]
  expect(checkTables(asStored, tied).ok).toBe(true)
  expect(checkTables({ embedding_type: 'rtn4', head_type: 'source' }, tied).ok).toBe(true)
  expect(checkTables({ embedding_type: 'rtn4', head_type: 'rtn4' }, tied).ok).toBe(true)
  expect(checkTables({ embedding_type: 'rtn4', head_type: 'rtn8' }, tied)).toMatchObject({
    ok: false,
    problem: { code: 'recipe_invalid' },
  })
  expect(checkTables({ embedding_type: 'rtn4', head_type: 'rtn8' }, untied).ok).toBe(true)
})

test('nothing is said of tables that stay as they are', () => {
  expect(chosenTables(asStored)).toEqual([])
  expect(chosenTables({ embedding_type: 'source', head_type: 'f16' })).toEqual([['head_type', 'f16']])
})
