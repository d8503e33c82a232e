// The text of each token in the middle of a text. Pure.
import { detokenizer } from '../generate/detokenize.ts'

type Decode = (ids: readonly number[]) => string

/** Tokens read before the first one that is wanted, so that a character begun before it is known to be. */
const lead = 16

/** Of tokens `from` to `end`: whole characters, so that of several tokens of one character the last has it. */
export function piecesOf(decode: Decode, tokens: Uint32Array, from: number, end: number): string[] {
  const start = Math.max(0, from - lead)
  const pieceOf = detokenizer(decode, [...tokens.subarray(Math.max(0, start - lead), start)])
  const pieces = Array.from(tokens.subarray(start, end), (id) => pieceOf(id).text)
  return pieces.slice(from - start)
}
