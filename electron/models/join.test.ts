import { expect, test } from 'vitest'
import { datasetRows, joinLines } from './join.ts'

// The beginning of a raw file in WikiText's form. What comes of it was made with CPython 3.11, as the script of the data set reads it:
//   rows = ["" if not row.strip() else row for row in io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8")]
//   " ".join(rows), "\n\n".join(rows)
const text = ' \n = Title = \n \n A first line . \n\n  \r\n\tA second one\u00a0\r\n = = Part = = \n last'

test('rows as the data set holds them', () => {
  const rows = [
    '',
    ' = Title = \n',
    '',
    ' A first line . \n',
    '',
    '',
    '\tA second one\u00a0\n',
    ' = = Part = = \n',
    ' last',
  ]
  expect(datasetRows(text)).toEqual(rows)
  expect(datasetRows('')).toEqual([])
  expect(datasetRows('one\n')).toEqual(['one\n'])
})

test('joined as the published programs do', () => {
  expect(joinLines(text, 'raw')).toBe(text)
  expect(joinLines(text, 'space')).toBe(
    '  = Title = \n   A first line . \n   \tA second one\u00a0\n  = = Part = = \n  last',
  )
  expect(joinLines(text, 'blank-line')).toBe(
    '\n\n = Title = \n\n\n\n\n A first line . \n\n\n\n\n\n\n\tA second one\u00a0\n\n\n = = Part = = \n\n\n last',
  )
})
