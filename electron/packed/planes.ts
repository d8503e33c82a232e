// Bits within bytes, as docs/FORMAT.md lays them out: least significant bit first, every row starting at a new byte.

/** Bytes of one row of `bits` bits. */
export const rowBytes = (bits: number) => Math.ceil(bits / 8)

/** Bit `column` of the row that starts at byte `start`. */
export function bitAt(plane: Uint8Array, start: number, column: number): number {
  return (plane[start + (column >> 3)]! >> (column & 7)) & 1
}

/** Code `index` of `bits` (1 to 8) bits of the row that starts at byte `start`; it may lie across two bytes. */
export function codeAt(codes: Uint8Array, start: number, index: number, bits: number): number {
  const position = index * bits
  const byte = start + (position >> 3)
  // Past the end of all codes there is no second byte, and no code reaches into it.
  const pair = codes[byte]! | ((codes[byte + 1] ?? 0) << 8)
  return (pair >> (position & 7)) & ((1 << bits) - 1)
}

/** The positions of the set bits among the first `width` bits, ascending. */
export function setBits(row: Uint8Array, width: number): number[] {
  const positions: number[] = []
  for (let column = 0; column < width; column++) if (bitAt(row, 0, column) === 1) positions.push(column)
  return positions
}

/** Column -> its place among the salient columns; -1 for the others. */
export function ranks(salient: Uint8Array, columns: number): Int32Array {
  const rank = new Int32Array(columns).fill(-1)
  setBits(salient, columns).forEach((column, place) => (rank[column] = place))
  return rank
}
