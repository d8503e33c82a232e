import { expect, test } from 'vitest'
import type { PicturedLinear, PictureKind } from '../../../electron/contract/pictures.ts'
import { commonKinds, commonLinears, kindFor } from './linears.ts'

const linear = (name: string, pictures: PictureKind[] = ['quantized'], rows = 8): PicturedLinear => ({
  name,
  layer: 0,
  kind: 'q_proj',
  rows,
  columns: 16,
  method: 'gptq',
  blocksize: 128,
  ordered: false,
  pictures,
  code_bits: null,
  second_columns: 0,
  groups: null,
  salient_weights: 0,
})

test('linears of the same name and shape, in the order of the first', () => {
  const left = [linear('c'), linear('a'), linear('b'), linear('d')]
  const right = [linear('a'), linear('b', [], 9), linear('c')]
  expect(commonLinears(left, right).map((pair) => pair.left.name)).toEqual(['c', 'a'])
  expect(commonLinears(left, [])).toEqual([])
})

test('pictures that there are of both; errors where nothing else was asked for', () => {
  const pair = {
    left: linear('a', ['original', 'quantized', 'error', 'sign']),
    right: linear('a', ['original', 'quantized', 'error', 'code']),
  }
  expect(commonKinds(pair)).toEqual(['original', 'quantized', 'error'])
  expect(kindFor(pair, undefined)).toBe('error')
  expect(kindFor(pair, 'original')).toBe('original')
  expect(kindFor(pair, 'sign')).toBe('error')
  expect(kindFor({ left: linear('a'), right: linear('a') }, 'sign')).toBe('quantized')
})
