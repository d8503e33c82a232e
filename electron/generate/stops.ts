// A text ends before the first of its stop texts: what may still become one is held back. Pure.
import type { TextPiece } from '../contract/generation.ts'

export type Stops = {
  /** What can be told now that this piece has come. `stopped`: a stop text is there, and what begins it was left out. */
  take: (piece: TextPiece) => { pieces: TextPiece[]; stopped: boolean }
  /** What was held back and is no stop text after all. */
  rest: () => TextPiece[]
}

export function stopsOf(texts: readonly string[]): Stops {
  let held: TextPiece[] = []
  return {
    take(piece) {
      held.push(piece)
      const text = held.map((one) => one.text).join('')
      const found = firstOf(texts, text)
      const safe = found ?? text.length - overlap(texts, text)
      const pieces = found === null ? release(held, safe) : cut(held, found)
      held = found === null ? held.slice(pieces.length) : []
      return { pieces, stopped: found !== null }
    },
    rest() {
      const pieces = held
      held = []
      return pieces
    },
  }
}

function firstOf(texts: readonly string[], text: string): number | null {
  const places = texts.map((stop) => text.indexOf(stop)).filter((place) => place >= 0)
  return places.length === 0 ? null : Math.min(...places)
}

/** Characters at the end of the text with which a stop text may begin. */
function overlap(texts: readonly string[], text: string): number {
  let most = 0
  for (const stop of texts) {
    for (let length = Math.min(stop.length - 1, text.length); length > most; length--) {
      if (stop.startsWith(text.slice(text.length - length))) most = length
    }
  }
  return most
}

/** The pieces that end within the first characters. */
function release(pieces: readonly TextPiece[], characters: number): TextPiece[] {
  let end = 0
  return pieces.filter(({ text }) => (end += text.length) <= characters)
}

/** The pieces of the first characters, the last one shortened. */
function cut(pieces: readonly TextPiece[], characters: number): TextPiece[] {
  let start = 0
  return pieces.flatMap(({ id, text }) => {
    const part = text.slice(0, Math.max(0, characters - start))
    start += text.length
    return part === '' ? [] : [{ id, text: part }]
  })
}
