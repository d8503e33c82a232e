import { expect, test } from 'vitest'
import type { PicturedLinear, PictureKind } from '../../../electron/contract/pictures.ts'
import { csv } from '../../drawing/csv.ts'
import { columnRows, columnsTable, firstDescending, listTitle, sorted, type ColumnNumbers } from './column-list.ts'

const none: ColumnNumbers = { hessian: null, error: null, mark: null, count: null }
const f32 = (...values: number[]) => Float32Array.from(values)

test('only salient columns are listed, with their rank among all', () => {
  const rows = columnRows(5, {
    ...none,
    mark: f32(0, 1, 0, 1, 1),
    hessian: f32(9, 4, 7, 4, 0.5),
    error: f32(1, 2, 3, 4, 5),
  })
  expect(rows).toEqual([
    { column: 1, hessian: 4, rank: 3, error: 2, count: null },
    { column: 3, hessian: 4, rank: 3, error: 4, count: null },
    { column: 4, hessian: 0.5, rank: 5, error: 5, count: null },
  ])
})

test('by salient weights, or all where none stand out', () => {
  expect(columnRows(3, { ...none, count: f32(0, 4, 2) }).map(({ column, count }) => [column, count])).toEqual([
    [1, 4],
    [2, 2],
  ])
  expect(columnRows(3, none).map(({ column }) => column)).toEqual([0, 1, 2])
})

test('sorted by any of them, what is not known last', () => {
  const rows = columnRows(4, { ...none, hessian: f32(2, 8, 2, 5) })
  const order = (by: 'hessian' | 'rank' | 'column' | 'error', descending: boolean) =>
    sorted(rows, { by, descending }).map(({ column }) => column)
  expect(order('hessian', true)).toEqual([1, 3, 0, 2])
  expect(order('rank', false)).toEqual([1, 3, 0, 2])
  expect(order('column', true)).toEqual([3, 2, 1, 0])
  expect(order('error', true)).toEqual([0, 1, 2, 3])
  const first = (['column', 'rank', 'hessian', 'count'] as const).map(firstDescending)
  expect(first).toEqual([false, false, true, true])
})

test('as CSV every number is written in full', () => {
  const table = columnsTable(columnRows(2, { ...none, hessian: f32(0.1, 3), mark: f32(1, 0) }))
  expect(csv(table)).toBe(
    'column,hessian_diagonal,hessian_rank,rms_error,salient_weights\r\n0,0.10000000149011612,2,,\r\n',
  )
})

test('the list says what it is of', () => {
  const linear = (method: PicturedLinear['method'], ...pictures: PictureKind[]) =>
    listTitle({ method, pictures } as PicturedLinear)
  expect(linear('billm', 'sign', 'salient')).toBe('Salient columns')
  expect(linear('signum-rc', 'sign', 'salient')).toBe('Second-sign columns')
  expect(linear('pb-llm', 'mask')).toBe('Columns with salient weights')
  expect(linear('rtn', 'code')).toBe('Columns')
})
