import { expect, test } from 'vitest'
import { run } from '../testing/run.ts'
import { recipeTable } from './recipe-table.ts'

test('a row a key, a column a run, and whether they differ', () => {
  const { recipe } = run()
  const other = { ...recipe, parameters: { ...recipe.parameters, bits: 3 }, calibration: null }
  const rows = recipeTable([recipe, other, recipe])
  const row = (key: string) => rows.find((one) => one.key === key)
  expect(row('bits')).toEqual({ key: 'bits', values: ['2', '3', '2'], differs: true })
  expect(row('group')).toEqual({ key: 'group', values: ['128', '128', '128'], differs: false })
  expect(row('calibration sequences')?.values).toEqual(['16', null, '16'])
  expect(rows[0]!.key).toBe('method')
})
