import { expect, test } from 'vitest'
import { columnsOf } from './column.ts'
import { differingColumns, recipeDifferences } from './differences.ts'
import { row, run } from './testing/run.ts'

const columns = columnsOf([row()], [])
const ids = (...rows: ReturnType<typeof row>[]) => differingColumns(columns, rows).map(({ id }) => id)

test('columns whose values are all equal are left out', () => {
  const a = row({ id: 1, name: 'same', finished_at: 1 })
  expect(ids(a, row({ id: 2, name: 'same', finished_at: 1, linear_bits: 3 }))).toEqual(['linearBits'])
  expect(ids(a, row({ id: 2, name: 'other', finished_at: 1 }), a)).toEqual(['name'])
  expect(ids(a, row({ id: 2, name: 'same', finished_at: 1, file_bytes: null }))).toEqual(['fileBytes'])
})

test('with fewer than two rows every column stays', () => {
  expect(ids()).toEqual(columns.map(({ id }) => id))
  expect(ids(row())).toEqual(columns.map(({ id }) => id))
})

test('two recipes, by key, in the order of the catalogue', () => {
  const { recipe: left } = run()
  const right = {
    ...left,
    model: '/models/other',
    method: 'signum-rc',
    parameters: { second_plane: 0.25, blocksize: 64, scale_type: 'f16', later: true },
    calibration: { ...left.calibration!, length: null },
    evaluations: [{ source: 'book.txt', window: null, protocol: 'llama.cpp' as const, join: 'raw' as const }],
  }
  expect(recipeDifferences(left, left)).toEqual([])
  expect(recipeDifferences(left, right)).toEqual([
    { key: 'method', left: 'gptq', right: 'signum-rc' },
    { key: 'bits', left: '2', right: null },
    { key: 'group', left: '128', right: null },
    { key: 'order', left: 'natural', right: null },
    { key: 'blocksize', left: '128', right: '64' },
    { key: 'damping', left: '0.01', right: null },
    { key: 'second_plane', left: null, right: '0.25' },
    { key: 'later', left: null, right: 'true' },
    { key: 'calibration length', left: '128', right: 'context' },
    { key: 'evaluation bundled:evaluation-stories', left: 'papers, windows of 256', right: null },
    { key: 'evaluation book.txt', left: null, right: 'llama.cpp, windows of context' },
  ])
  expect(recipeDifferences({ ...left, calibration: null }, left).map(({ key }) => key)).toEqual([
    'calibration source',
    'calibration sampling',
    'calibration sequences',
    'calibration length',
    'calibration seed',
    'calibration join',
  ])
})
