import { expect, it } from 'vitest'
import type { LinearBytes } from '../../../electron/contract/records.ts'
import { barsOf, partsIn } from './stacked-bytes.ts'

const none = { codes: 0, signs: 0, second: 0, bitmaps: 0, scales: 0, order: 0, kept: 0 }
const bytes: LinearBytes = {
  linears: [
    { ...none, name: 'model.layers.1.q_proj', layer: 1, kind: 'q_proj', signs: 8, scales: 2 },
    { ...none, name: 'model.layers.0.down_proj', layer: 0, kind: 'down_proj', kept: 64 },
    { ...none, name: 'model.layers.0.q_proj', layer: 0, kind: 'q_proj', signs: 8, scales: 3, order: 1.5 },
  ],
  layers: [
    { layer: 0, rest: 4 },
    { layer: 1, rest: 4 },
  ],
  embeddings: 100,
  rest: 7,
  headers: 9,
}

it('is one bar per layer, by number, with its norms', () => {
  const bars = barsOf(bytes, 'layer')
  expect(bars.map(({ name, total }) => [name, total])).toEqual([
    ['0', 80.5],
    ['1', 14],
  ])
  expect(bars[0]!.bytes).toEqual({ ...none, signs: 8, scales: 3, order: 1.5, kept: 64, rest: 4 })
})

it('is one bar per kind, in the order of the block, and one for the norms', () => {
  const bars = barsOf(bytes, 'kind')
  expect(bars.map(({ name, total }) => [name, total])).toEqual([
    ['q', 22.5],
    ['down', 64],
    ['norms', 8],
  ])
})

it('loses no byte, and names only what there is', () => {
  for (const by of ['layer', 'kind'] as const) {
    const bars = barsOf(bytes, by)
    expect(bars.reduce((sum, { total }) => sum + total, 0)).toBe(94.5)
    expect(partsIn(bars).map(({ part }) => part)).toEqual(['signs', 'scales', 'order', 'kept', 'rest'])
  }
})
