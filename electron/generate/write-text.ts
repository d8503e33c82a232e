// One text from an open model: its prompt in tokens, its answer piece by piece, and where it ends.
import type { Attention, Ending } from '../contract/api.ts'
import type { TextAnswer, TextPiece } from '../contract/generation.ts'
import { refused } from '../runs/context.ts'
import type { TextRequest } from './texts.ts'
import { detokenizer } from './detokenize.ts'
import type { OpenModel } from './open-model.ts'
import { promptOf } from './prompt.ts'
import { stopsOf } from './stops.ts'

/** A stop or cancel ends the text, which is an answer all the same. `opened`: seconds, where the model was opened for it. */
export async function writeText(
  { model, tokenizer, specials, session }: OpenModel,
  request: TextRequest,
  attention: Attention,
  opened: number | null,
): Promise<Ending<TextAnswer>> {
  const prompt = promptOf(request.prompt, tokenizer, specials)
  if (!prompt.ok) return refused(prompt.problem)
  const { tokens, notes } = prompt.value
  for (const note of notes) attention.onNote?.(note)
  attention.onText?.({ kind: 'begun', tokenizer: tokenizer.sha256, prompt_tokens: tokens.length })

  const pieceOf = detokenizer(tokenizer.decode, tokens)
  const stops = stopsOf([...request.stop, ...prompt.value.stop])
  const halt = new AbortController()
  const asked = [attention.stop, attention.cancel].filter((signal) => signal !== undefined)
  let [text, stopped] = ['', false]
  const tell = (pieces: TextPiece[]) => {
    if (pieces.length === 0) return
    text += pieces.map((piece) => piece.text).join('')
    attention.onText?.({ kind: 'pieces', pieces })
  }
  const hear = (token: number) => {
    if (stopped) return
    const next = stops.take(pieceOf(token))
    tell(next.pieces)
    if (!next.stopped) return
    stopped = true
    halt.abort()
  }
  const { max_tokens, temperature, top_k, top_p, seed } = request
  const wish = { tokens, max_tokens, temperature, top_k, top_p, seed, stop_tokens: specials.end }
  const ending = await session.generate(wish, hear, AbortSignal.any([halt.signal, ...asked]))
  if (ending.kind !== 'finished') return ending
  if (!stopped) tell(stops.rest())
  const {
    reason,
    tokens: written,
    prompt_tokens,
    reused_tokens,
    first_token_seconds,
    seconds,
    resident_bytes,
  } = ending.value
  return {
    kind: 'finished',
    value: {
      model: model.path,
      packed: model.packed,
      tokenizer: tokenizer.sha256,
      text,
      reason: stopped || reason === 'stop_token' ? 'stop' : reason,
      context: session.ready.context,
      open_seconds: opened,
      tokens: written,
      prompt_tokens,
      reused_tokens,
      first_token_seconds,
      seconds,
      resident_bytes,
    },
  }
}
