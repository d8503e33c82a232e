import { expect, test } from 'vitest'
import type { Edge } from '../../../electron/contract/pictures.ts'
import { colourAt } from '../colours.ts'
import {
  acrossOf,
  edgeCaption,
  edgeScale,
  edgeText,
  numbersFor,
  paintStrips,
  pixelsOf,
  placeOn,
  reduced,
  type EdgeNumbers,
} from './edges.ts'

const numbers = (quantity: Edge['quantity'], values: number[], strips = 1): EdgeNumbers => ({
  edge: { id: 'x', title: 'X', quantity, along: 'columns', strips },
  values: Float32Array.from(values),
  length: values.length / strips,
})

test('a Hessian has a logarithmic scale, and 0 the last colour', () => {
  const scale = edgeScale([numbers('hessian', [0, 1, 100]), numbers('hessian', [10_000])], true)
  expect([scale.low, scale.high, scale.log]).toEqual([1, 10_000, true])
  expect([0, 1, 100, 10_000, 1e9].map((value) => placeOn(scale, value))).toEqual([0, 0, 0.5, 1, 1])
  expect(placeOn(scale, NaN)).toBeNull()
  expect(edgeScale([numbers('hessian', [1e-30, 1])], true).low).toBe(1e-8)
})

test('means lie around 0; scales between their ends; counts from 0', () => {
  expect(edgeScale([numbers('mean', [-2, 1, NaN])], false)).toMatchObject({ low: -2, high: 2, log: false })
  expect(edgeScale([numbers('scale', [3, 4, NaN])], false)).toMatchObject({ low: 3, high: 4 })
  expect(edgeScale([numbers('count', [3, 4])], false)).toMatchObject({ low: 0, high: 4 })
  const equal = edgeScale([numbers('scale', [3, 3])], false)
  expect(placeOn(equal, 3)).toBe(0.5)
  expect(edgeScale([numbers('scale', [NaN])], false)).toMatchObject({ low: 0, high: 0 })
  expect(edgeScale([], false)).toMatchObject({ low: 0, high: 0 })
})

test('where many numbers share a pixel, the largest is seen', () => {
  const values = Float32Array.from([1, 9, 2, 3, -7, 5, NaN, 4])
  expect([...pixelsOf(values, { start: 0, cell: 0.5, pixels: 5 })]).toEqual([9, 3, -7, 4, NaN])
  expect([...pixelsOf(values, { start: 1, cell: 2, pixels: 6 })]).toEqual([NaN, 1, 1, 9, 9, 2])
  expect([...pixelsOf(values, { start: -7, cell: 1, pixels: 3 })]).toEqual([4, NaN, NaN])
})

test('strips lie beside each other, along x or along y', () => {
  const two = numbers('count', [0, 4, 4, 0], 2)
  const scale = edgeScale([two], true)
  const [dark, bright] = [colourAt(scale.table, 0), colourAt(scale.table, 1)]
  const along = { start: 0, cell: 1, pixels: 3 }
  const at = (data: Uint8ClampedArray, k: number) => [...data.subarray(4 * k, 4 * k + 4)]
  const flat = paintStrips(two, scale, along, 4, false)
  for (const y of [0, 1]) expect(at(flat, 3 * y)).toEqual([...dark, 255])
  for (const y of [2, 3]) expect(at(flat, 3 * y)).toEqual([...bright, 255])
  expect(at(flat, 1)).toEqual([...bright, 255])
  expect(at(flat, 2)).toEqual([0, 0, 0, 0])
  const turned = paintStrips(two, scale, along, 4, true)
  for (let x = 0; x < 3; x++) for (let y = 0; y < 4; y++) expect(at(turned, 4 * x + y)).toEqual(at(flat, 3 * y + x))
})

test('few blocks are wide, many share the room', () => {
  expect([1, 4, 100].map(acrossOf)).toEqual([12, 16, 40])
})

test('what an edge has for a weight', () => {
  const rows: EdgeNumbers = {
    ...numbers('scale', [1, 2, 3, 4, 5, 6], 3),
    edge: { ...numbers('scale', [], 3).edge, along: 'rows' },
  }
  const at = { row: 1, column: 70 }
  expect(numbersFor(rows, at, { blocksize: 64, ordered: false })).toEqual([4])
  expect(numbersFor(rows, at, { blocksize: 64, ordered: true })).toEqual([2, 4, 6])
  expect(numbersFor(rows, { row: 0, column: 500 }, { blocksize: 64, ordered: false })).toEqual([NaN])
  expect(numbersFor(numbers('hessian', [7, 8]), { row: 9, column: 1 }, { blocksize: 64, ordered: true })).toEqual([8])
  expect([edgeText([2, 4, 6], String), edgeText([4, NaN], String), edgeText([NaN], String)]).toEqual([
    '2 to 6',
    '4',
    '–',
  ])
})

test('a saved picture says what lies along its edges', () => {
  const one = numbers('hessian', [1])
  expect(edgeCaption({ left: one, above: one })).toEqual(['Along the edges, above: X; left: X'])
  expect(edgeCaption({})).toEqual([])
})

test('from far away the largest are still seen', () => {
  const two = numbers('mean', [1, -9, 2, 3, 4, NaN, 5, 6, 7, 8, NaN, NaN, NaN, 1], 2)
  expect(reduced(two, 0).values).toBe(two.values)
  expect(reduced(two, 1)).toEqual({ values: Float32Array.from([-9, 3, 4, 5, 7, 8, NaN, 1]), length: 4 })
  expect(reduced(two, 2).length).toBe(2)
  expect([...reduced(two, 3).values]).toEqual([-9, 8])
})
