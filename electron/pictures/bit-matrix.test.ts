// Bits moved and counted by words, against the same done one by one.
import { expect, test } from 'vitest'
import { rowWords } from '../contract/packed-tile.ts'
import { uniform } from '../packed/testing/random.ts'
import { bitsOfBytes, countBlocks, newBits, placeColumns, transpose32, type BitRows } from './bit-matrix.ts'

const bitAt = ({ words, columns }: BitRows, row: number, column: number) =>
  (words[row * rowWords(columns, 1) + (column >> 5)]! >>> (column & 31)) & 1

function randomBits(rows: number, columns: number, seed: number): BitRows {
  const next = uniform(seed)
  const bits = newBits(rows, columns)
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      if (next() < 0.5) bits.words[i * rowWords(columns, 1) + (j >> 5)]! |= 1 << (j & 31)
    }
  }
  return bits
}

test('a block is transposed', () => {
  const block = randomBits(32, 32, 1)
  const turned = { ...block, words: block.words.slice() }
  transpose32(turned.words)
  for (let i = 0; i < 32; i++) for (let j = 0; j < 32; j++) expect(bitAt(turned, j, i)).toBe(bitAt(block, i, j))
})

test.each([
  [1, 1],
  [31, 33],
  [70, 100],
  [64, 256],
])('columns of %i x %i bits find their places', (rows, columns) => {
  const from = randomBits(rows, columns, 2)
  const places = Array.from({ length: columns }, (_, j) => (columns - 1 - j) * 2)
  const to = placeColumns(from, places, 2 * columns)
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      expect(bitAt(to, i, places[j]!)).toBe(bitAt(from, i, j))
      expect(bitAt(to, i, 2 * j + 1)).toBe(0)
    }
  }
})

test('a column whose place lies behind the last word is left out', () => {
  const from = randomBits(40, 3, 3)
  const to = placeColumns(from, [32, 0, 32], 2)
  for (let i = 0; i < 40; i++) expect([bitAt(to, i, 0), bitAt(to, i, 1)]).toEqual([bitAt(from, i, 1), 0])
})

test.each([
  [1, 1],
  [4, 32],
  [7, 45],
  [9, 300],
])('ones in blocks of %i x %i bits', (rows, columns) => {
  const bits = randomBits(rows, columns, 4)
  const blocks = Math.ceil(columns / 4)
  for (let first = 0; first < rows; first += 4) {
    const out = new Uint8Array(blocks + 2).fill(99)
    countBlocks(bits, first, out, 1)
    const expected = Array.from({ length: blocks }, (_, block) => {
      let ones = 0
      for (let i = first; i < Math.min(rows, first + 4); i++)
        for (let j = 4 * block; j < Math.min(columns, 4 * block + 4); j++) ones += bitAt(bits, i, j)
      return ones
    })
    expect([...out]).toEqual([99, ...expected, 99])
  }
})

test('bytes become words, and what lies behind the last column is dropped', () => {
  const bits = bitsOfBytes(Uint8Array.of(0xff, 0xff, 0x01, 0xfe), 2, 12)
  expect([...bits.words]).toEqual([0xfff, 0xe01])
  expect([...bitsOfBytes(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), 1, 64).words]).toEqual([0x04030201, 0x08070605])
})
