import fc from 'fast-check'
import { expect, test } from 'vitest'
import { columnsOf, type Column } from './column.ts'
import { budgetOf, bestOf, groupOf } from './grouping.ts'
import type { Row } from './row.ts'
import { linesOf, RunTable, type Line } from './run-table.ts'
import { row } from './testing/run.ts'

const columns = columnsOf([row()], [])
const column = (id: string): Column => columns.find((one) => one.id === id)!
const by = (column: string, descending = false) => ({ column, descending })
const sorted = (rows: readonly Row[], ...sorts: { column: string; descending: boolean }[]): Row[] =>
  new RunTable().order(rows, columns, sorts, null).flatMap(({ rows }) => rows)

test('numbers by size, words as people count, nothing last in either direction, newest first among equals', () => {
  const rows = [
    row({ id: 4, name: 'b', linear_bits: 11 }),
    row({ id: 3, name: 'a', linear_bits: 1.13 }),
    row({ id: 2, name: 'Run 9', linear_bits: null }),
    row({ id: 1, name: 'run 10', linear_bits: 2 }),
  ]
  const ids = (id: string, descending = false) => sorted(rows, by(id, descending)).map((one) => one.id)
  expect(ids('linearBits')).toEqual([3, 1, 4, 2])
  expect(ids('linearBits', true)).toEqual([4, 1, 3, 2])
  expect(ids('name')).toEqual([3, 4, 2, 1])
  expect(ids('name', true)).toEqual([1, 2, 4, 3])
  expect(sorted(rows).map((one) => one.id)).toEqual([4, 3, 2, 1])
  expect(sorted(rows, by('a column of yesterday')).map((one) => one.id)).toEqual([4, 3, 2, 1])
})

test('several columns: the next one decides where the first says the same', () => {
  const rows = [
    row({ id: 4, method: 'rtn', linear_bits: 2 }),
    row({ id: 3, method: 'gptq', linear_bits: 3 }),
    row({ id: 2, method: 'gptq', linear_bits: 2 }),
    row({ id: 1, method: 'rtn', linear_bits: 3 }),
  ]
  expect(sorted(rows, by('method'), by('linearBits', true)).map(({ id }) => id)).toEqual([3, 2, 1, 4])
  expect(sorted(rows, by('linearBits'), by('method')).map(({ id }) => id)).toEqual([2, 4, 3, 1])
})

test('order keeps every row and is that of the column', () => {
  const bits = fc.option(fc.integer({ min: 1, max: 4 }), { nil: null })
  fc.assert(
    fc.property(fc.array(bits), fc.boolean(), (all, descending) => {
      const rows = all.map((linear_bits, index) => row({ id: all.length - index, linear_bits }))
      const found = sorted(rows, by('linearBits', descending))
      expect(new Set(found)).toEqual(new Set(rows))
      found.slice(1).forEach(({ linearBits: after, id }, index) => {
        const { linearBits: before, id: earlier } = found[index]!
        if (before === null) expect(after).toBeNull()
        else if (after === before) expect(id).toBeLessThan(earlier)
        else if (after !== null) expect(after > before).toBe(!descending)
      })
    }),
  )
})

test('one table answers one request after another as a new one would', () => {
  const table = new RunTable()
  const rows = [3, 2, 1].map((id) => row({ id, linear_bits: id % 2, method: id === 2 ? 'rtn' : 'gptq' }))
  for (const sorts of [[by('linearBits')], [by('name', true)], []]) {
    for (const grouping of [null, 'method', 'budget'] as const) {
      for (const some of [rows, rows.slice(1), []]) {
        const fresh = new RunTable().order(some, columns, sorts, grouping)
        expect(table.order(some, columns, sorts, grouping)).toEqual(fresh)
      }
    }
  }
})

const shape = (lines: Line[]) =>
  lines.map((line) => (line.kind === 'run' ? line.id : `${line.title} ${line.rows.length}`))

test('groups come as their best row does, without those of which nothing was found, and are closed one by one', () => {
  const rows = [
    row({ id: 4, method: 'rtn', linear_bits: 4 }),
    row({ id: 3, method: 'gptq', linear_bits: 3 }),
    row({ id: 2, method: 'rtn', linear_bits: 2 }),
    row({ id: 1, method: 'later', linear_bits: 9 }),
  ]
  const ordered = new RunTable().order(rows, columns, [by('linearBits')], 'method')
  const titles = rows.map((one) => groupOf(one, 'method'))
  const [rtn, gptq] = [titles[0]!, titles[1]!]
  const shown = (found: (row: Row) => boolean, closed: string[] = []) => shape(linesOf(ordered, found, new Set(closed)))
  expect(shown(() => true)).toEqual([`${rtn} 2`, 2, 4, `${gptq} 1`, 3, 'later 1', 1])
  expect(shown(() => true, [rtn])).toEqual([`${rtn} 2`, `${gptq} 1`, 3, 'later 1', 1])
  expect(shown(({ id }) => id !== 3)).toEqual([`${rtn} 2`, 2, 4, 'later 1', 1])
})

test('columns: in the order that somebody gave them, new ones behind, as wide as they were pulled', () => {
  const table = new RunTable()
  const shown = new Set(['name', 'fileBytes', 'linearBits', 'method'])
  const laid = table.columns(columns, shown, ['name', 'method', 'gone'], { method: 300 })
  expect(laid.map(({ column, width }) => [column.id, width])).toEqual([
    ['name', column('name').width],
    ['method', 300],
    ['fileBytes', column('fileBytes').width],
    ['linearBits', column('linearBits').width],
  ])
  expect(table.columns(columns, new Set(['name']), [], {}).map(({ column }) => column.id)).toEqual(['name'])
})

test('budgets are quarters of a bit; the best of a group is the least, or the most where more is better', () => {
  expect([row({ linear_bits: 2.25 }), row({ linear_bits: 1.1 }), row({ linear_bits: null })].map(budgetOf)).toEqual([
    '2.25 to 2.50 linear bits',
    '1.00 to 1.25 linear bits',
    'no bits yet',
  ])
  const rows = [row({ id: 1, linear_bits: 3 }), row({ id: 2, linear_bits: 2 }), row({ id: 3, linear_bits: null })]
  expect(bestOf(column('linearBits'), rows)?.id).toBe(2)
  const more = { ...column('linearBits'), delta: { kind: 'absolute', digits: 2, more: true } } as Column
  expect(bestOf(more, rows)?.id).toBe(1)
  expect([bestOf(column('date'), rows), bestOf(column('linearBits'), [])]).toEqual([null, null])
})
