import fc from 'fast-check'
import { expect, test } from 'vitest'
import { csv, fileName, type Cell } from './csv.ts'

test('numbers in full, what is not there is empty, quoted where it must be', () => {
  const rows = [
    ['a "b", c', 0.1 + 0.2, null, true],
    ['two\nlines', -3, '', false],
  ]
  expect(csv({ columns: ['name', 'x', 'y', 'yes'], rows })).toBe(
    'name,x,y,yes\r\n"a ""b"", c",0.30000000000000004,,true\r\n"two\nlines",-3,,false\r\n',
  )
})

/** As RFC 4180 reads it. */
function read(text: string): string[][] {
  const rows: string[][] = [[]]
  const pattern = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy
  for (let found = pattern.exec(text); found; found = pattern.exec(text)) {
    rows.at(-1)!.push(found[1]?.replaceAll('""', '"') ?? found[2]!)
    if (found[3] === '\r\n') rows.push([])
  }
  return rows.slice(0, -1)
}

test('whatever is written is read back', () => {
  const cell = fc.oneof(fc.string({ unit: 'binary' }), fc.double(), fc.constant(null), fc.boolean())
  const rows = fc.array(fc.tuple(cell, cell, cell))
  fc.assert(
    fc.property(rows, (rows) => {
      const text = (value: Cell) => String(value ?? '')
      expect(read(csv({ columns: ['a', 'b', 'c'], rows }))).toEqual([['a', 'b', 'c'], ...rows.map((r) => r.map(text))])
    }),
  )
})

test('file names keep what can be read and nothing that leads elsewhere', () => {
  expect(fileName('Error by depth, gptq bits=2: q/k', 'svg')).toBe('Error by depth, gptq bits=2 q k.svg')
  expect(fileName('../../etc', 'csv')).toBe('etc.csv')
  expect(fileName('...', 'png')).toBe('untitled.png')
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (title) => {
      expect(fileName(title, 'csv')).toMatch(/^[^/\\:*?"<>|]{1,120}\.csv$/)
    }),
  )
})
