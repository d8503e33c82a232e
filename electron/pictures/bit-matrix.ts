// Matrices of bits, 32 at a time: columns in another order, and how many ones there are in blocks of 4 x 4.
import { rowWords } from '../contract/packed-tile.ts'

/** Rows of bits; every row starts at a new word. */
export type BitRows = { rows: number; columns: number; words: Uint32Array }

export const newBits = (rows: number, columns: number): BitRows => ({
  rows,
  columns,
  words: new Uint32Array(rows * rowWords(columns, 1)),
})

/** Of bytes whose rows start at a new byte each. Bits behind the last column become 0. */
export function bitsOfBytes(bytes: Uint8Array, rows: number, columns: number): BitRows {
  const bits = newBits(rows, columns)
  const stride = rowWords(columns, 1)
  const row = Math.ceil(columns / 8)
  const target = new Uint8Array(bits.words.buffer)
  if (row === 4 * stride) target.set(bytes)
  else for (let i = 0; i < rows; i++) target.set(bytes.subarray(i * row, (i + 1) * row), i * 4 * stride)
  const rest = columns & 31
  if (rest > 0) for (let i = 1; i <= rows; i++) bits.words[i * stride - 1]! &= 2 ** rest - 1
  return bits
}

/** The transpose of 32 x 32 bits in place: bit j of word i becomes bit i of word j. */
export function transpose32(block: Uint32Array): void {
  for (let step = 16, mask = 0x0000ffff; step > 0; step >>= 1, mask ^= mask << step) {
    for (let k = 0; k < 32; k = (k + step + 1) & ~step) {
      const swapped = ((block[k]! >>> step) ^ block[k + step]!) & mask
      block[k]! ^= swapped << step
      block[k + step]! ^= swapped
    }
  }
}

/**
 * Column k of `from` becomes column places[k] of the result, or nothing where that lies behind its last word; the other columns
 * are 0. Moves 32 rows of a column at once.
 */
export function placeColumns(from: BitRows, places: ArrayLike<number>, columns: number): BitRows {
  const to = newBits(from.rows, columns)
  const [source, target] = [rowWords(from.columns, 1), rowWords(columns, 1)]
  const upright = new Uint32Array(32 * target)
  const block = new Uint32Array(32)
  for (let top = 0; top < from.rows; top += 32) {
    const count = Math.min(32, from.rows - top)
    for (let word = 0; word < source; word++) {
      block.fill(0, count)
      for (let i = 0; i < count; i++) block[i] = from.words[(top + i) * source + word]!
      transpose32(block)
      const last = Math.min(32, from.columns - 32 * word)
      for (let j = 0; j < last; j++) upright[places[32 * word + j]!] = block[j]!
    }
    for (let word = 0; word < target; word++) {
      block.set(upright.subarray(32 * word, 32 * word + 32))
      transpose32(block)
      for (let i = 0; i < count; i++) to.words[(top + i) * target + word] = block[i]!
    }
  }
  return to
}

/**
 * Ones in blocks of 4 x 4 bits, of rows `first` to `first + 4` (fewer at the end): out[at + k] for block k of the row of blocks.
 * Eight blocks, a word of every row, are counted at once: pairs, then nibbles, then bytes of the four rows together.
 */
export function countBlocks({ rows, columns, words }: BitRows, first: number, out: Uint8Array, at: number): void {
  const stride = rowWords(columns, 1)
  const blocks = Math.ceil(columns / 4)
  const count = Math.min(4, rows - first)
  for (let word = 0; word < stride; word++) {
    let even = 0
    let odd = 0
    for (let i = 0, k = first * stride + word; i < count; i++, k += stride) {
      let v = words[k]!
      v -= (v >>> 1) & 0x55555555
      v = (v & 0x33333333) + ((v >>> 2) & 0x33333333)
      even += v & 0x0f0f0f0f
      odd += (v >>> 4) & 0x0f0f0f0f
    }
    const left = at + 8 * word
    const end = Math.min(8, blocks - 8 * word)
    if (end === 8) {
      out[left] = even & 255
      out[left + 1] = odd & 255
      out[left + 2] = (even >>> 8) & 255
      out[left + 3] = (odd >>> 8) & 255
      out[left + 4] = (even >>> 16) & 255
      out[left + 5] = (odd >>> 16) & 255
      out[left + 6] = even >>> 24
      out[left + 7] = odd >>> 24
    } else {
      for (let k = 0; k < end; k++) out[left + k] = ((k & 1 ? odd : even) >>> (8 * (k >> 1))) & 255
    }
  }
}
