// Where a text is another one than the first, token by token. Pure.
import type { TextPiece } from '../../../electron/contract/generation.ts'

export type Segment = { text: string; differs: boolean }

/** Token i against token i of the first text; a token that the first text does not have differs. */
const differsAt = (first: readonly TextPiece[], { id }: TextPiece, i: number): boolean => first[i]?.id !== id

/** What is written without a mark comes together, every token that differs by itself. `first`: null without marks. */
export function segments(pieces: readonly TextPiece[], first: readonly TextPiece[] | null): Segment[] {
  const all: Segment[] = []
  for (const [i, piece] of pieces.entries()) {
    if (piece.text === '') continue
    const differs = first !== null && differsAt(first, piece, i)
    const last = all.at(-1)
    if (!differs && last?.differs === false) last.text += piece.text
    else all.push({ text: piece.text, differs })
  }
  return all
}

export type Difference = {
  /** The first token that differs, from 1; null where none does. */
  from: number | null
  differing: number
  of: number
}

export function differenceOf(first: readonly TextPiece[], pieces: readonly TextPiece[]): Difference {
  const differing = pieces.map((piece, i) => differsAt(first, piece, i))
  const from = differing.indexOf(true)
  return { from: from < 0 ? null : from + 1, differing: differing.filter(Boolean).length, of: pieces.length }
}

export function differenceWords({ from, differing, of }: Difference): string {
  if (of === 0) return ''
  return from === null ? 'Same tokens as the first' : `${differing} of ${of} tokens differ, from token ${from}`
}
