import { expect, test } from 'vitest'
import { table } from './table.ts'

test('a Markdown table whose columns line up', () => {
  const text = table(
    [
      { title: 'method', align: 'left' },
      { title: 'bits', align: 'right' },
    ],
    [
      ['rtn', '2.06'],
      ['signum-rc', '12'],
    ],
  )
  expect(text).toBe(
    ['| method    | bits |', '|-----------|-----:|', '| rtn       | 2.06 |', '| signum-rc |   12 |'].join('\n'),
  )
})

test('bars in cells do not break the table', () => {
  expect(table([{ title: 'a|b', align: 'left' }], [['c|d']])).toBe('| a\\|b |\n|------|\n| c\\|d |')
})
