// What a run will be calibrated on, looked at before it starts: its own steps (checks.ts, source.ts), and one window decoded.
import path from 'node:path'
import type { Attention, Ending, Request } from '../contract/api.ts'
import { success, type Result } from '../contract/errors.ts'
import { windowOf } from '../contract/evaluation.ts'
import type { Model } from '../contract/records.ts'
import { sampledTextRequestSchema, type SampledText } from '../contract/sampled-text.ts'
import { openTokenizer } from '../models/tokenizer.ts'
import { windowStarts } from '../models/windows.ts'
import { readCalibration } from './checks.ts'
import { refused, type Context } from './context.ts'
import { originalIn } from './library.ts'
import { sourceFile, sourceReader, type SourceTokens, type Wanted } from './source.ts'
import { stampOf } from './token-counts.ts'

export async function sampledText(
  context: Context,
  request: Request<'sampledText'>,
  attention: Attention,
): Promise<Ending<SampledText>> {
  const { model: folder, calibration: asked, window: wanted } = sampledTextRequestSchema.parse(request)
  const found = await originalIn(context, folder, attention)
  if (found.kind !== 'finished') return found
  const model = found.value
  const calibration = { ...asked, length: windowOf(asked.length, model) }
  const read = await readCalibration(lastReader(context.root), calibration, model)
  if (!read.ok) return refused(read.problem)
  const { bytes, tokens, places } = read.value
  const { length, sequences: windows } = calibration
  const window = Math.min(wanted, windows - 1)
  const first = windowStarts(calibration, tokens.tokens)[window]!
  const ids = Array.from({ length }, (_, i) => bytes.readUInt32LE(4 * (first + i)))
  // A token file needs no tokenizer to be used; to be looked at it does.
  const tokenizer = await openTokenizer(model.path)
  if (!tokenizer.ok) return refused(tokenizer.problem)
  const { document, start } = places?.[window] ?? { document: null, start: first }
  const text = tokenizer.value.decode(ids)
  return { kind: 'finished', value: { windows, length, tokens: tokens.tokens, window, start, document, ids, text } }
}

let last: { key: string; tokens: SourceTokens } | null = null

/** Going from window to window reads a text once, as long as its file and the tokenizer's stay as they are. */
const lastReader =
  (root: string) =>
  async (wanted: Wanted, model: Model): Promise<Result<SourceTokens>> => {
    const files = [sourceFile(root, wanted.source), path.join(model.path, 'tokenizer.json')]
    const stamps = (await Promise.all(files.map(stampOf))).map((one) => one?.stamp)
    const key = JSON.stringify([files, stamps, model.vocabulary, wanted])
    if (last?.key === key) return success(last.tokens)
    const read = await sourceReader(root)(wanted, model)
    if (read.ok) last = { key, tokens: read.value }
    return read
  }
