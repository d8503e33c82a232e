import fc from 'fast-check'
import { expect, test } from 'vitest'
import { depthOption, depthTable } from './error-by-depth.ts'
import type { ChartColours } from './option.ts'
import { pictureSvg, placeLegend } from './picture.ts'

export const colours: ChartColours = {
  ink: '#111111',
  muted: '#555555',
  faint: '#777777',
  line: '#dddddd',
  panel: '#fefefe',
  raised: '#ffffff',
  accent: '#2f55d4',
  good: '#17703f',
  warn: '#8a5a00',
  bad: '#b3261e',
  font: '"Inter Variable", sans-serif',
  dark: false,
  resolve: (css) => css,
}

test('legend items stand beside each other, and on the next line where the picture ends', () => {
  const items = ['a', 'bb', 'ccc'].map((name) => ({ name, colour: 'red' }))
  const { placed, height } = placeLegend(items, 80, (text) => 10 * text.length)
  expect(placed.map(({ x, y }) => [x, y])).toEqual([
    [0, 0],
    [0, 20],
    [0, 40],
  ])
  expect(height).toBe(66)
  expect(placeLegend(items, 800, (text) => 10 * text.length).placed.map(({ y }) => y)).toEqual([0, 0, 0])
  expect(placeLegend([], 80, () => 1)).toEqual({ placed: [], height: 0 })
})

const series = [
  { id: '1', name: 'first', colour: '#0072b2', symbol: 'circle', points: [[0, 0.25] as [number, number], [1, 0.5]] },
  { id: '2', name: 'second', colour: '#c75000', symbol: 'rect', points: [[1, 0.125] as [number, number]] },
] as Parameters<typeof depthTable>[0]

test('a picture has its title, its legend and its plot, on the ground of the theme', async () => {
  const option = depthOption(series, 2, 'relative_output_error')
  const svg = await pictureSvg({ title: 'Error', legend: series, option, colours, width: 400, height: 200 })
  expect(svg).toContain('<title>Error</title>')
  expect(svg).toContain('fill="#fefefe"')
  for (const text of ['first', 'second', 'decoder layer', 'relative output error']) expect(svg).toContain(`>${text}<`)
  expect(svg).toMatch(/<svg x="16" y="\d+" [^>]*width="400"/)
  expect(svg).not.toContain('<style')
  // Whatever stands between two quotes is a value: no attribute is ended by one of its own.
  expect(svg.replaceAll(/="[^"<>]*"/g, '').match(/<[^>]*"[^>]*>/g)).toBeNull()
})

test('nothing of a name is markup', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string(), async (name) => {
      const option = depthOption([{ ...series[0]!, name: `<b>${name}` }], 2, 'relative_output_error')
      const legend = [{ name: `<b>${name}`, colour: '"><i>' }]
      const svg = await pictureSvg({ title: `<script>${name}`, legend, option, colours, width: 300, height: 150 })
      expect(svg).not.toMatch(/<(b|i|script)>/)
    }),
    { numRuns: 20 },
  )
})

test('numbers of lines: a row a layer, empty where a line has none', () => {
  expect(depthTable(series, 'error')).toEqual({
    columns: ['layer', 'first, error', 'second, error'],
    rows: [
      [0, 0.25, null],
      [1, 0.5, 0.125],
    ],
  })
})
