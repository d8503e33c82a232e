import { expect, test } from 'vitest'
import type { Cell, PicturedLinear } from '../../../electron/contract/pictures.ts'
import { fileName, inModelOrder, isKind, standardKind } from './choices.ts'
import { axisOf } from './level-axis.ts'

const linear = (layer: number | null, kind: string, code_bits: number | null = null): PicturedLinear => ({
  name: `model.layers.${layer}.${kind}`,
  layer,
  kind,
  rows: 1,
  columns: 1,
  method: 'rtn',
  blocksize: 1,
  ordered: false,
  pictures: ['quantized', 'sign'],
  code_bits,
  second_columns: 0,
  groups: null,
  salient_weights: 0,
})

test('linears come as the model computes them', () => {
  const linears = [linear(10, 'q_proj'), linear(2, 'down_proj'), linear(2, 'k_proj'), linear(null, 'other')]
  const sorted = inModelOrder({ run: 1, linears, original_problem: null }).linears
  expect(sorted.map(({ name }) => name)).toEqual([
    'model.layers.null.other',
    'model.layers.2.k_proj',
    'model.layers.2.down_proj',
    'model.layers.10.q_proj',
  ])
})

test('what is shown where nobody chose', () => {
  expect(standardKind(linear(0, 'q_proj'))).toBe('sign')
  expect(standardKind(linear(0, 'q_proj', 2))).toBe('quantized')
  expect([isKind('sign'), isKind('toString'), isKind(undefined)]).toEqual([true, false, false])
})

test('names of files', () => {
  expect(fileName('arb-rc, 1/4', 'model.layers.0.q_proj', 'sign')).toBe('arb-rc-1-4-model.layers.0.q_proj-sign.png')
})

test('levels lie between the lowest and the highest of all that is shown', () => {
  const cell: Cell = {
    row: 0,
    column: 0,
    original: -3,
    quantized: 1,
    error: 4,
    sign: 1,
    second: null,
    salient: null,
    group: null,
    code: null,
    levels: [-1, 1],
  }
  expect(axisOf(cell)).toEqual({ levels: [50, 100], zero: 75, original: 0, quantized: 100 })
  expect(axisOf({ ...cell, original: null, quantized: 0, levels: [0] })).toMatchObject({ levels: [50], zero: 50 })
  const many = axisOf({ ...cell, levels: Array.from({ length: 256 }, (_, k) => k) }).levels
  expect(many.length).toBeLessThan(70)
  expect(many.at(-1)).toBe(100)
})
