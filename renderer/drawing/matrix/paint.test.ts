import { describe, expect, test } from 'vitest'
import { pictureKinds, shareByte, type PicturedLinear } from '../../../electron/contract/pictures.ts'
import { signColours } from '../colours.ts'
import { legendOf } from './legend.ts'
import { cellText, colourOf, paintOf, valueOf, weightText } from './paint.ts'
import { stepFor, ticks } from './rulers.ts'

const linear: PicturedLinear = {
  name: 'P',
  layer: 0,
  kind: 'q_proj',
  rows: 4,
  columns: 4,
  method: 'rtn',
  blocksize: 128,
  ordered: false,
  pictures: [...pictureKinds],
  code_bits: 3,
  second_columns: 1,
  groups: 2,
  salient_weights: 0,
}
const scale = { weight: 0.8, error: 0.2 }
const picture = (kind: (typeof pictureKinds)[number]) => ({ linear, kind, scale })

describe('paint', () => {
  test('original and quantized have one scale, around 0', () => {
    for (const kind of ['original', 'quantized'] as const) {
      expect(paintOf(picture(kind), true, 1, true)).toMatchObject({ low: -0.8, high: 0.8, size: false })
    }
  })
  test('the scale of means narrows with the zoom where that is wanted, and never widens', () => {
    expect(paintOf(picture('original'), true, 8, true).high).toBeCloseTo(0.1)
    expect(paintOf(picture('original'), true, 8, false).high).toBe(0.8)
    expect(paintOf(picture('original'), true, 0.1, true).high).toBe(0.8)
    expect(paintOf(picture('sign'), true, 4, true)).toMatchObject({ low: 0.375, high: 0.625 })
  })
  test('a root mean square stays what it is', () => {
    expect(paintOf(picture('error'), false, 8, true)).toMatchObject({ low: 0, high: 0.2, size: true })
  })
  test('the colours of single signs are those of the tokens, in both themes', () => {
    for (const dark of [true, false]) {
      const { plus, minus } = signColours[dark ? 'dark' : 'light']
      const paint = paintOf(picture('sign'), dark, 0.1, true)
      expect(colourOf(paint, valueOf('sign', shareByte(1)))).toEqual(plus)
      expect(colourOf(paint, valueOf('sign', shareByte(0)))).toEqual(minus)
      expect(colourOf(paint, valueOf('second', 0))).toEqual(paint.none)
    }
  })
  test('the size of an error counts, whatever its sign', () => {
    const paint = paintOf(picture('error'), true, 1, true)
    expect(colourOf(paint, -0.1)).toEqual(colourOf(paint, 0.1))
    expect(colourOf(paint, 99)).toEqual(colourOf(paint, 0.2))
  })
  test('every code has a colour of its own', () => {
    const paint = paintOf(picture('code'), true, 1, true)
    const colours = Array.from({ length: 8 }, (_, code) => colourOf(paint, code).join())
    expect(new Set(colours).size).toBe(8)
  })
  test('where all weights are 0, they have the colour of 0', () => {
    const zero = paintOf({ linear, kind: 'original', scale: { weight: 0, error: 0 } }, true, 1, true)
    expect(colourOf(zero, 0)).toEqual(colourOf(paintOf(picture('original'), true, 1, true), 0))
  })
})

test('numbers in cells', () => {
  expect(['sign', 'second'].map((kind) => cellText(kind as 'sign', 0))).toEqual(['−1', '−1'])
  expect(cellText('sign', 1)).toBe('+1')
  expect(cellText('second', Number.NaN)).toBe('')
  expect([1, 2 / 3, 1 / 2, 1 / 3, 0].map((value) => cellText('group', value))).toEqual(['s', '2', '2', '3', 'c'])
  expect(cellText('code', 5)).toBe('5')
  expect(cellText('quantized', -0.123456)).toBe('−0.123')
  expect([weightText(0), weightText(-0), weightText(-1.5e-5, 3), weightText(12.5)]).toEqual([
    '0',
    '0',
    '−1.50e−5',
    '12.50',
  ])
})

test('a difference: flips up to half of the signs where cells are means, a change around 0', () => {
  expect(paintOf(picture('flipped'), true, 1, true)).toMatchObject({ low: 0, high: 1 })
  expect(paintOf(picture('flipped'), true, 4, true)).toMatchObject({ low: 0, high: 0.5 })
  expect(legendOf('flipped', paintOf(picture('flipped'), true, 4, true), 2).bar?.labels).toEqual([
    '0 %',
    '25 %',
    '50 %',
  ])
  const change = paintOf(picture('change'), true, 2, true)
  expect([change.low, change.high]).toEqual([-0.1, 0.1])
  expect([cellText('flipped', 1), cellText('flipped', 0)]).toEqual(['≠', '='])
})

test('a legend says what a cell is at every level', () => {
  const paint = paintOf(picture('error'), true, 1, true)
  expect(legendOf('error', paint, 0).title).toBe('Size of the error')
  expect(legendOf('error', paint, 3).title).toBe('Root mean square error of 8 × 8 weights')
  expect(legendOf('error', paint, 0).bar?.labels).toEqual(['0', '0.050', '0.10', '0.15', '0.20'])
  const signs = paintOf(picture('sign'), true, 4, true)
  expect(legendOf('sign', signs, 2)).toMatchObject({ title: 'Share of +1 of 4 × 4 weights', swatches: [] })
  expect(legendOf('sign', signs, 2).bar?.labels).toEqual(['37.5 %', '50 %', '62.5 %'])
  expect(legendOf('second', signs, 0).swatches.map(({ text }) => text)).toEqual(['+1', '−1', 'has none'])
  for (const kind of pictureKinds) {
    for (const level of [0, 2]) {
      const legend = legendOf(kind, paintOf(picture(kind), false, 2 ** level, true), level)
      expect(legend.title).not.toBe('')
      expect(legend.bar !== null || legend.swatches.length > 1).toBe(true)
    }
  }
})

describe('rulers', () => {
  test('steps are 1, 2, 5 times a power of ten, and leave room', () => {
    expect([96, 20, 8, 3, 1, 0.1, 0.05].map((cell) => stepFor(cell, 50))).toEqual([1, 5, 10, 20, 50, 500, 1000])
    expect(stepFor(50, 50)).toBe(1)
    expect(stepFor(25, 50)).toBe(2)
  })
  test('ticks lie in the matrix and in the view', () => {
    expect(ticks(-20, 47.5, 1000, 10)).toEqual([0, 10, 20, 30, 40])
    expect(ticks(985, 2000, 1000, 10)).toEqual([990])
    expect(ticks(2000, 3000, 1000, 10)).toEqual([])
  })
})
