// Tokens to text while they come: each token gives the characters that it completes. Pure.
import type { TextPiece } from '../contract/generation.ts'

type Decode = (ids: readonly number[]) => string

/** Tokens in front that settle whether a text begins with a space, and of which character a byte is a part. */
const behind = 8
const longest = 64
const incomplete = '\ufffd'

/** `prompt`: what the text goes on from. */
export function detokenizer(decode: Decode, prompt: readonly number[]): (id: number) => TextPiece {
  // A text so far is decoded again with every token, from a little before its end.
  let ids = prompt.slice(-behind)
  let told = decode(ids).length
  return (id) => {
    ids.push(id)
    const text = decode(ids)
    // A character whose last bytes are still to come decodes to one mark at the end.
    const whole = text.endsWith(incomplete) ? text.length - 1 : text.length
    const piece = { id, text: text.slice(told, whole) }
    told = Math.max(told, whole)
    if (ids.length >= longest && told === text.length) {
      ids = ids.slice(-behind)
      told = decode(ids).length
    }
    return piece
  }
}
