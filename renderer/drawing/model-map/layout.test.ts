import { describe, expect, it } from 'vitest'
import { kindColour } from '../kind-colour.ts'
import { cellOf, labelEvery, mapRows, rowHeight, scaleEnd, scaleRange, step } from './layout.ts'

const linear = (layer: number, kind: string, rows: number, columns = 8) => ({
  name: `model.layers.${layer}.${kind}`,
  layer,
  kind,
  rows,
  columns,
})
const block = (layer: number) => [linear(layer, 'down_proj', 4), linear(layer, 'q_proj', 3), linear(layer, 'k_proj', 1)]

describe('mapRows', () => {
  it('orders layers by number and linears as in the block', () => {
    const rows = mapRows([...block(1), ...block(0)])
    expect(rows.map(({ layer, tiles }) => [layer, tiles.map(({ linear: { kind } }) => kind)])).toEqual([
      [0, ['q_proj', 'k_proj', 'down_proj']],
      [1, ['q_proj', 'k_proj', 'down_proj']],
    ])
  })

  it.each([
    ['out_proj', 'fc2', 'v_proj', 'fc1', 'k_proj', 'q_proj'],
    ['down_proj', 'gate_up_proj', 'o_proj', 'qkv_proj'],
  ])('knows the names of every family: %s, ...', (...kinds) => {
    const rows = mapRows(kinds.map((kind) => linear(0, kind, 1)))
    const places = [/^(q|qkv)_/, /^k_/, /^v_/, /^(o|out)_/, /^(gate|gate_up)_|fc1/, /^up_/, /^down_|fc2/]
    const found = rows[0]!.tiles.map(({ linear: { kind } }) => places.findIndex((place) => place.test(kind)))
    expect(found).toEqual([...found].sort())
    expect(new Set(kinds.map(kindColour)).size).toBe(kinds.length)
  })

  it('makes tiles as wide as their share of the widest row', () => {
    const rows = mapRows([...block(0), linear(1, 'q_proj', 2)])
    expect(rows[0]!.tiles.map(({ share }) => share)).toEqual([3 / 8, 1 / 8, 4 / 8])
    expect(rows[1]!.tiles.map(({ share }) => share)).toEqual([2 / 8])
  })

  it('is nothing for nothing', () => expect(mapRows([])).toEqual([]))
})

it('keeps a hundred layers on one screen, and numbers from touching', () => {
  for (const layers of [1, 4, 22, 32, 48, 80, 126]) {
    const height = rowHeight(layers)
    expect(height * layers).toBeLessThan(800)
    expect(height * labelEvery(height)).toBeGreaterThanOrEqual(12)
  }
  expect(rowHeight(4)).toBeGreaterThan(20)
  // Beside other things even a large model takes less than half of a small window.
  for (const layers of [32, 48, 80]) {
    const height = rowHeight(layers, 280)
    expect(height * layers).toBeLessThanOrEqual(320)
    expect(height * labelEvery(height)).toBeGreaterThanOrEqual(12)
  }
})

it('finds a linear by its name', () => {
  const rows = mapRows([...block(0), ...block(1)])
  expect(cellOf(rows, 'model.layers.1.k_proj')).toEqual({ row: 1, column: 1 })
  expect(cellOf(rows, 'model.layers.9.k_proj')).toBeNull()
})

it('ends a scale at a round number', () => {
  expect([0.37, 0.5, 0.51, 1, 0.013, 24].map(scaleEnd)).toEqual([0.4, 0.5, 0.6, 1, 0.015, 25])
  expect(scaleEnd(0)).toBe(1)
  expect(scaleEnd(NaN)).toBe(1)
})

it('begins a scale at 0, or at a round number below the smallest', () => {
  expect(scaleRange([0.2, 0.37], true)).toEqual({ low: 0, high: 0.4 })
  const { low, high } = scaleRange([1.13, 3.19], false)
  expect(low).toBeLessThanOrEqual(1.13)
  expect(low).toBeGreaterThan(0.8)
  expect(high).toBeGreaterThanOrEqual(3.19)
  expect(high).toBeLessThan(3.6)
  // All alike: nothing to spread.
  expect(scaleRange([2, 2], false)).toEqual({ low: 0, high: 2 })
  expect(scaleRange([], false)).toEqual({ low: 0, high: 1 })
})

describe('step', () => {
  const rows = mapRows([...block(0), linear(1, 'down_proj', 4)])
  it('keeps to the kind of linear between rows, and inside the map', () => {
    expect(step(rows, { row: 0, column: 2 }, 'ArrowDown')).toEqual({ row: 1, column: 0 })
    expect(step(rows, { row: 0, column: 0 }, 'ArrowDown')).toEqual({ row: 1, column: 0 })
    expect(step(rows, { row: 1, column: 0 }, 'ArrowUp')).toEqual({ row: 0, column: 2 })
    expect(step(rows, { row: 0, column: 0 }, 'ArrowLeft')).toEqual({ row: 0, column: 0 })
    expect(step(rows, { row: 0, column: 0 }, 'End')).toEqual({ row: 0, column: 2 })
    expect(step(rows, { row: 0, column: 0 }, 'x')).toBeNull()
  })
})
