import { expect, test } from 'vitest'
import { shareByte, tileShape, type PicturedLinear } from '../../../electron/contract/pictures.ts'
import { csv } from '../../drawing/csv.ts'
import {
  cellValue,
  lineTable,
  mostWeights,
  partTable,
  tileData,
  tilesOf,
  tooLarge,
  valueAt,
  type Part,
} from './values-table.ts'

const shape = { rows: 300, columns: 600, groups: 3, code_bits: 3 } as PicturedLinear
const part = (top: number, bottom: number, left: number, right: number): Part => ({
  rows: { first: top, last: bottom },
  columns: { first: left, last: right },
})
/** Weight (i, j) is 1000 i + j. */
const tiles = (of: Part) =>
  tilesOf(shape, 'quantized', of).map((place) => {
    const { rows, columns } = tileShape(shape, 'quantized', place)!
    const data = Float32Array.from(
      { length: rows * columns },
      (_, k) => (place.row * 256 + Math.floor(k / columns)) * 1000 + place.column * 256 + (k % columns),
    )
    return { place, data }
  })

test('a part that lies over four tiles', () => {
  const seen = part(255, 256, 511, 513)
  expect(tiles(seen).map(({ place: { row, column } }) => [row, column])).toEqual([
    [0, 1],
    [0, 2],
    [1, 1],
    [1, 2],
  ])
  expect(csv(partTable(seen, valueAt(shape, 'quantized', tiles(seen))))).toBe(
    'row,511,512,513\r\n255,255511,255512,255513\r\n256,256511,256512,256513\r\n',
  )
})

test('a row and a column, a line for each weight', () => {
  const row = part(299, 299, 0, 599)
  const across = lineTable('quantized', row, valueAt(shape, 'quantized', tiles(row)))
  expect(across.columns).toEqual(['column', 'quantized'])
  expect(across.rows).toHaveLength(600)
  expect(across.rows[599]).toEqual([599, 299599])
  const column = part(0, 299, 10, 10)
  const down = lineTable('quantized', column, valueAt(shape, 'quantized', tiles(column)))
  expect(down.columns).toEqual(['row', 'quantized'])
  expect(down.rows[256]).toEqual([256, 256010])
})

test('what numbers are in a spreadsheet', () => {
  expect(cellValue('quantized', Math.fround(0.1), 1)).toBe(0.10000000149011612)
  expect(cellValue('quantized', NaN, 1)).toBeNull()
  expect([1, 0, NaN].map((value) => cellValue('sign', value, 1))).toEqual([1, -1, null])
  expect([1, 0].map((value) => cellValue('flipped', value, 1))).toEqual([1, 0])
  expect([1, 1 / 2, 0].map((value) => cellValue('group', value, 3))).toEqual(['sparse', '2 of 3', 'concentrated'])
})

test('bits that are packed, with and without all of them there', () => {
  const place = { level: 0, row: 1, column: 2 }
  const cut = { rows: { first: 256, last: 299 }, columns: { first: 512, last: 599 } }
  expect(tilesOf(shape, 'sign', cut)).toEqual([place])
  // 44 rows of 88 columns: three words each.
  const words = new Uint32Array(44 * 3)
  words[3 * 7] = 0b100
  const signs = valueAt(shape, 'sign', [{ place, data: tileData(shape, 'sign', words.buffer) }])
  expect([signs(263, 514), signs(263, 515), signs(264, 514)]).toEqual([1, -1, -1])
  const some = new Uint32Array(44 * 3 + 3)
  some.set(words)
  some[44 * 3] = 0b100
  const second = valueAt(shape, 'second', [{ place, data: tileData(shape, 'second', some.buffer) }])
  expect([second(263, 514), second(263, 515)]).toEqual([1, null])
  const codes = new Uint32Array(44 * 11)
  codes[11] = 0x0750
  const code = valueAt(shape, 'code', [{ place, data: tileData(shape, 'code', codes.buffer) }])
  expect([512, 513, 514].map((column) => code(257, column))).toEqual([0, 5, 7])
})

test('salient columns speak for all rows', () => {
  const one = part(290, 290, 0, 3)
  const places = tilesOf(shape, 'salient', one)
  expect(places).toEqual([{ level: 0, row: 0, column: 0 }])
  const data = new Uint8Array(256).fill(shareByte(0))
  data[2] = shareByte(1)
  const at = valueAt(shape, 'salient', [{ place: places[0]!, data }])
  expect([0, 1, 2, 3].map((column) => at(290, column))).toEqual([0, 0, 1, 0])
})

test('too much is refused in one sentence', () => {
  expect(tooLarge(part(0, 499, 0, 499))).toBeNull()
  expect(mostWeights).toBe(250_000)
  expect(tooLarge(part(0, 500, 0, 499))).toBe(
    'In view are 250,500 weights, and a CSV file takes up to 250,000: zoom in, or save the row or column that is pointed at.',
  )
})
