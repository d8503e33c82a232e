import { expect, test } from 'vitest'
import { Notes } from './notes.ts'

test('the first of a kind is shown, the rest is counted', () => {
  const said: string[] = []
  const notes = new Notes((text) => said.push(text))
  for (const message of ['one', 'two', 'three']) notes.take({ code: 'scales_small', message })
  notes.take({ code: 'model', message: 'only one' })
  notes.end()
  expect(said).toEqual([
    'note: scales_small: one\n',
    'note: model: only one\n',
    'note: scales_small: 2 more of this kind\n',
  ])
})
