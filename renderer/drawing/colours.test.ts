import { expect, test } from 'vitest'
import tokens from '../ui/tokens.css?raw'
import { tables } from './colour-tables.ts'
import {
  between,
  colourAt,
  css,
  divergingTable,
  gradientOf,
  inkOn,
  luminance,
  signColours,
  signTable,
  tableOf,
  veilTable,
  type ColourMap,
  type Rgb,
} from './colours.ts'

const hex = (colour: Rgb) => colour.map((part) => part.toString(16).padStart(2, '0')).join('')
const contrast = (a: Rgb, b: Rgb) => {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y)
  return (high! + 0.05) / (low! + 0.05)
}

test.each<[ColourMap, string, string, string]>([
  ['viridis', '440154', '21918c', 'fde725'],
  ['cividis', '00224e', '7d7c78', 'fee838'],
  ['RdBu', '67001f', 'f6f7f7', '053061'],
])('%s has its published colours', (map, first, middle, last) => {
  expect(tables[map].map((line) => line.length)).toEqual(new Array(16).fill(96))
  const table = tableOf(map)
  expect([hex(colourAt(table, 0)), hex(colourAt(table, 128 / 255)), hex(colourAt(table, 1))]).toEqual([
    first,
    middle,
    last,
  ])
  expect(hex(colourAt(tableOf(map, true), 0))).toBe(last)
  expect(hex(colourAt(table, -3))).toBe(first)
})

test('viridis and cividis grow lighter all the way, so that they can be read without hue', () => {
  for (const map of ['viridis', 'cividis'] as const) {
    const table = tableOf(map)
    const steps = Array.from({ length: 32 }, (_, k) => luminance(colourAt(table, k / 31)))
    expect(steps).toEqual(steps.toSorted((a, b) => a - b))
  }
})

test('values around 0 are warm below, blue above, and like the ground in the middle', () => {
  for (const dark of [true, false]) {
    const table = divergingTable(dark)
    const [low, middle, high] = [0, 0.5, 1].map((share) => colourAt(table, share)) as [Rgb, Rgb, Rgb]
    expect(low[0]).toBeGreaterThan(low[2])
    expect(high[2]).toBeGreaterThan(high[0])
    expect(luminance(middle) < 0.05).toBe(dark)
    expect(luminance(middle) > 0.8).toBe(!dark)
    // As far from 0, as far from the ground, whichever sign.
    const away = (share: number) => Math.abs(luminance(colourAt(table, share)) - luminance(middle))
    const steps = Array.from({ length: 17 }, (_, k) => k / 32)
    for (const step of steps) expect(Math.abs(away(0.5 + step) - away(0.5 - step))).toBeLessThan(0.12)
    const above = steps.map((step) => away(0.5 + step))
    expect(above).toEqual(above.toSorted((a, b) => a - b))
  }
})

test('the signs have the colours of the tokens', () => {
  for (const sign of ['plus', 'minus'] as const) {
    const { light, dark } = { light: signColours.light[sign], dark: signColours.dark[sign] }
    expect(tokens).toContain(`--${sign}: light-dark(#${hex(light)}, #${hex(dark)});`)
  }
  for (const dark of [true, false]) {
    const { plus, minus, even } = signColours[dark ? 'dark' : 'light']
    const table = signTable(dark)
    expect(colourAt(table, 0)).toEqual(minus)
    expect(colourAt(table, 1)).toEqual(plus)
    expect(Math.abs(colourAt(table, 0.5)[0] - even[0])).toBeLessThan(3)
  }
})

test('straight lines between colours', () => {
  const table = between([
    [0, 0, 0],
    [100, 0, 0],
    [100, 200, 0],
  ])
  expect(colourAt(table, 0.25)[0]).toBeCloseTo(50, -1)
  expect(colourAt(table, 0.75)).toEqual([100, 100, 0])
  expect(colourAt(table, 1)).toEqual([100, 200, 0])
})

test('a veil is one colour that appears', () => {
  const table = veilTable([1, 2, 3], 0.5)
  expect([...table.slice(0, 4)]).toEqual([1, 2, 3, 0])
  expect([...table.slice(-4)]).toEqual([1, 2, 3, 128])
})

test('ink can be read on every colour of every map', () => {
  for (const map of Object.keys(tables) as ColourMap[]) {
    const table = tableOf(map)
    for (let k = 0; k < 256; k++) {
      const colour = colourAt(table, k / 255)
      const ink: Rgb = inkOn(colour) === '#000' ? [0, 0, 0] : [255, 255, 255]
      expect(contrast(colour, ink)).toBeGreaterThan(4.5)
    }
  }
})

test('as CSS', () => {
  expect(css([1, 2, 3])).toBe('rgb(1 2 3)')
  expect(gradientOf(tableOf('viridis'), 2)).toBe('linear-gradient(to right, rgb(68 1 84), rgb(253 231 37))')
})
