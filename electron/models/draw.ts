// The sampling of the published programs (GPTQ, BiLLM, ARB-LLM, PB-LLM) on C4: documents drawn at random, and of each that
// is long enough a random window.
import { failure, success, type Result } from '../contract/errors.ts'
import { count } from '../contract/quantities.ts'
import type { Documents } from './documents.ts'
import { PythonRandom } from './python-random.ts'
import type { Encode } from './tokenizer.ts'

export type Draw = { sequences: number; length: number; seed: number }

/** Where a window came from: the document, and its token there that the window begins with. */
export type Place = { document: number; start: number }
/** `ids`: [sequences, length], one sequence after another. */
export type Drawn = { ids: Uint32Array; places: Place[] }

/**
 * random.seed(seed); for every sequence i = randint(0, documents - 1) until document i has more than `length` tokens, then
 * start = randint(0, tokens - length - 1). `source`: for messages.
 */
export async function drawWindows(
  source: string,
  documents: Pick<Documents, 'count' | 'text'>,
  encode: Encode,
  { sequences, length, seed }: Draw,
): Promise<Result<Drawn>> {
  const random = new PythonRandom(seed)
  const windows = new Uint32Array(sequences * length)
  const places: Place[] = []
  // A document that is too short is drawn again and again; it need not be tokenized again.
  const short = new Set<number>()
  for (let sequence = 0; sequence < sequences;) {
    if (short.size === documents.count) return tooShort(source, documents.count, length)
    const index = random.randint(0, documents.count - 1)
    if (short.has(index)) continue
    const text = await documents.text(index)
    if (!text.ok) return text
    const ids = encode(text.value)
    if (!ids.ok) return ids
    if (ids.value.length <= length) {
      short.add(index)
      continue
    }
    const start = random.randint(0, ids.value.length - length - 1)
    places.push({ document: index, start })
    windows.set(ids.value.subarray(start, start + length), sequence++ * length)
  }
  return success({ ids: windows, places })
}

const tooShort = (source: string, documents: number, length: number) =>
  failure(
    'calibration_too_short',
    `None of the ${count(documents)} documents in ${source} has more than ${count(length)} tokens: choose a smaller length.`,
  )
