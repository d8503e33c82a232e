// A sample of rows told as tiles: each row of cells by rows from its own middle.
import { expect, test } from 'vitest'
import { topLevel, tileShape, type Shape } from '../contract/pictures.ts'
import type { OpenRun } from './open-run.ts'
import { readSample, rowsForSample } from './sample.ts'

test('every row of cells of the coarsest level is sampled, within its own rows', () => {
  for (const shape of [
    { rows: 28_672, columns: 8192 },
    { rows: 300, columns: 5000 },
    { rows: 1, columns: 100_000 },
    { rows: 70_000, columns: 1 },
  ]) {
    const step = 2 ** topLevel(shape)
    const ranges = rowsForSample(shape)
    expect(ranges).toHaveLength(Math.ceil(shape.rows / step))
    for (const [k, { first, count }] of ranges.entries()) {
      expect(count).toBeGreaterThan(0)
      expect(count).toBeLessThanOrEqual(4)
      expect(Math.floor(first / step)).toBe(k)
      expect(first + count).toBeLessThanOrEqual(Math.min(shape.rows, (k + 1) * step))
    }
  }
})

test('its tiles are the means of these rows', async () => {
  // A weight is its column plus a thousand times its row.
  const shape: Shape = { rows: 1030, columns: 20 }
  const rows = (first: number, count: number) =>
    Float32Array.from({ length: count * 20 }, (_, k) => (k % 20) + 1000 * (first + Math.floor(k / 20)))
  const run = {
    check: () => {},
    packed: { path: 'memory', linears: new Map([['P', { ...shape, method: 'rtn' }]]), tensors: new Map() },
    original: {
      rows: (_: string, __: Shape, range: { first: number; count: number }) =>
        Promise.resolve(rows(range.first, range.count)),
    },
  } as unknown as OpenRun
  const sample = await readSample({ run, linear: 'P', kind: 'original', shape }, () => Promise.resolve())
  const ranges = rowsForSample(shape)
  expect(sample.share).toBeCloseTo(ranges.reduce((total, { count }) => total + count, 0) / 1030)
  const place = { level: 3, row: 0, column: 0 }
  expect(topLevel(shape)).toBe(3)
  const size = tileShape(shape, 'original', place)!
  const cells = new Float32Array(sample.tile(place).buffer)
  for (const [i, { first, count }] of ranges.entries()) {
    for (let j = 0; j < size.columns; j++) {
      const columns = Math.min(8, 20 - 8 * j)
      const mean = 8 * j + (columns - 1) / 2 + 1000 * (first + (count - 1) / 2)
      expect(cells[i * size.columns + j]).toBeCloseTo(mean, 0)
    }
  }
})
