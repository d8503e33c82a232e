import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  clampCell,
  clampCentre,
  ease,
  fit,
  largestCell,
  origin,
  pan,
  reveal,
  weightAt,
  zoom,
  type View,
} from './camera.ts'

const size = { width: 800, height: 600 }
const matrix = { rows: 4096, columns: 11_008 }

describe('fit', () => {
  test('the longer side fills the view, less a margin', () => {
    const view = fit(matrix, size)
    expect(view).toMatchObject({ x: 5504, y: 2048 })
    expect(view.cell * matrix.columns).toBeCloseTo(784)
    expect(fit({ rows: 600, columns: 1 }, size).cell).toBeCloseTo(584 / 600)
  })
  test('a single weight does not fill the screen', () => {
    expect(fit({ rows: 1, columns: 1 }, size).cell).toBe(largestCell)
  })
  test('in no space there is still a camera', () => {
    expect(fit(matrix, { width: 0, height: 0 }).cell).toBeGreaterThan(0)
  })
})

const views = fc.record({
  x: fc.double({ min: 0, max: 11_008, noNaN: true }),
  y: fc.double({ min: 0, max: 4096, noNaN: true }),
  cell: fc.double({ min: 0.02, max: 96, noNaN: true }),
})
const offsets = fc.record({
  dx: fc.double({ min: -400, max: 400, noNaN: true }),
  dy: fc.double({ min: -300, max: 300, noNaN: true }),
})
const under = (view: View, { dx, dy }: { dx: number; dy: number }) => ({
  x: view.x + dx / view.cell,
  y: view.y + dy / view.cell,
})

test('what is under the pointer stays there while the view zooms', () => {
  fc.assert(
    fc.property(views, offsets, fc.double({ min: 0.02, max: 96, noNaN: true }), (view, at, cell) => {
      const before = under(view, at)
      const after = under(zoom(view, cell, at), at)
      expect(after.x).toBeCloseTo(before.x, 5)
      expect(after.y).toBeCloseTo(before.y, 5)
    }),
  )
})

test('what is under the pointer goes with it while it drags', () => {
  fc.assert(
    fc.property(views, offsets, (view, by) => {
      const before = under(view, { dx: 0, dy: 0 })
      const after = under(pan(view, by), by)
      expect(after.x).toBeCloseTo(before.x, 5)
      expect(after.y).toBeCloseTo(before.y, 5)
    }),
  )
})

test('limits: half of the whole, 96 pixels, a centre on the matrix', () => {
  expect(clampCell(1e-9, matrix, size)).toBeCloseTo(fit(matrix, size).cell / 2)
  expect(clampCell(1e9, matrix, size)).toBe(96)
  expect(clampCell(3, matrix, size)).toBe(3)
  expect(clampCentre({ x: -5, y: 5000, cell: 2 }, matrix)).toEqual({ x: 0, y: 4096, cell: 2 })
})

test('eased zoom comes closer in every step and arrives', () => {
  for (const [from, to] of [
    [0.05, 16],
    [96, 0.05],
  ] as const) {
    let cell = from as number
    let steps = 0
    for (; cell !== to && steps < 100; steps++) {
      const next = ease(cell, to, 16)
      expect(Math.abs(Math.log(to / next))).toBeLessThan(Math.abs(Math.log(to / cell)))
      cell = next
    }
    expect(cell).toBe(to)
    expect(steps).toBeLessThan(40)
  }
})

test('the weight under a point', () => {
  const view = { x: 100, y: 50, cell: 10 }
  expect(weightAt(view, size, { x: 400, y: 300 })).toEqual({ row: 50, column: 100 })
  expect(weightAt(view, size, { x: 399, y: 299 })).toEqual({ row: 49, column: 99 })
  expect(weightAt({ x: 0, y: 0, cell: 1 }, size, { x: 0, y: 0 })).toEqual({ row: -300, column: -400 })
})

test('cells lie on whole device pixels, but not where many share one', () => {
  const view = { x: 10.3, y: 7.77, cell: 3.3 }
  const { left, top } = origin(view, size, 1.5)
  expect([left, top]).toEqual([Math.round(left), Math.round(top)])
  expect(Math.abs(left - (400 - 10.3 * 3.3) * 1.5)).toBeLessThanOrEqual(0.5)
  expect(origin({ ...view, cell: 0.1 }, size, 1).left).toBeCloseTo(400 - 1.03)
})

describe('reveal', () => {
  const view = { x: 100, y: 100, cell: 10 }
  test('a weight in sight moves nothing', () => {
    expect(reveal(view, size, { row: 110, column: 90 })).toEqual(view)
  })
  test('a weight outside is just inside afterwards', () => {
    const after = reveal(view, size, { row: 100, column: 200 })
    expect(after.y).toBe(100)
    const right = (200 + 1 - after.x) * after.cell + size.width / 2
    expect(right).toBeCloseTo(size.width - 24)
  })
  test('a weight larger than the view is centred', () => {
    const after = reveal({ x: 0, y: 0, cell: 900 }, size, { row: 3, column: 4 })
    expect(after).toEqual({ x: 4.5, y: 3.5, cell: 900 })
  })
})
