import { expect, test } from 'vitest'
import { fit } from './camera.ts'
import { isMapped, mapPixels, mapSize, placeOnMap, viewOnMap } from './overview.ts'

const matrix = { rows: 28_672, columns: 8192 }
const size = { width: 720, height: 440 }

test('the map has the shape of the matrix, and is never too thin to be hit', () => {
  expect(mapSize(matrix)).toEqual({ width: 32, height: 112 })
  expect(mapSize({ rows: 10, columns: 10_000 })).toEqual({ width: 112, height: 14 })
})

test('a matrix that is seen whole needs no map, nor does a view that the map would hide', () => {
  const whole = fit(matrix, size)
  expect(isMapped(whole, matrix, size)).toBe(false)
  expect(isMapped({ ...whole, cell: 4 * whole.cell }, matrix, size)).toBe(true)
  expect(isMapped({ ...whole, cell: 4 * whole.cell }, matrix, { width: 200, height: 440 })).toBe(false)
})

test('the view lies on the map where it lies on the matrix, and stays visible', () => {
  const map = mapSize(matrix)
  const part = viewOnMap({ x: 4096, y: 14_336, cell: 0.1 }, matrix, size, map)
  expect(part.left).toBeCloseTo(16 - part.width / 2)
  expect(part.top).toBeCloseTo(56 - part.height / 2)
  expect(part.width).toBeCloseTo((7200 / 8192) * 32)
  for (const [x, y] of [
    [0, 0],
    [8192, 28_672],
  ] as const) {
    const { left, top, width, height } = viewOnMap({ x, y, cell: 96 }, matrix, size, map)
    expect([width, height]).toEqual([5, 5])
    expect([left, top]).toEqual([x === 0 ? 0 : 27, y === 0 ? 0 : 107])
  }
})

test('a point of the map is a place in the matrix', () => {
  const map = mapSize(matrix)
  expect(placeOnMap({ x: 16, y: 56 }, matrix, map)).toEqual({ x: 4096, y: 14_336 })
  expect(placeOnMap({ x: -5, y: 500 }, matrix, map)).toEqual({ x: 0, y: 28_672 })
})

test('its pixels are the colours of its cells', () => {
  const pixels = mapPixels({ rows: 1, columns: 2 }, (row, column) => [row, column, 7])
  expect([...pixels]).toEqual([0, 0, 7, 255, 0, 1, 7, 255])
})
