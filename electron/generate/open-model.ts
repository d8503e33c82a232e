// A model that is held open to write texts: its worker, its tokenizer, and what its files say of both.
import type { Attention, Ending } from '../contract/api.ts'
import { failure, type Problem } from '../contract/errors.ts'
import { size } from '../contract/quantities.ts'
import type { Model } from '../contract/records.ts'
import { openTokenizer, type Tokenizer } from '../models/tokenizer.ts'
import { deviceFields } from '../runs/cards.ts'
import { refused, workerFor, type Context } from '../runs/context.ts'
import { inspect } from '../runs/models.ts'
import { placeWork } from '../runs/placement.ts'
import { Session } from '../worker/session.ts'
import { readSpecials, type Specials } from './specials.ts'

export type OpenModel = { model: Model; tokenizer: Tokenizer; specials: Specials; session: Session; seconds: number }
export type Opening = { folder: string; context: number; threads: number; device: string }

/** The longest context that is taken without being asked for. */
const usualContext = 4096

/** Inspected, found to fit into memory, and loaded; `seconds` is all of that. */
export async function openModel(
  context: Context,
  { folder, context: tokens, threads, device: wish }: Opening,
  attention: Attention,
): Promise<Ending<OpenModel>> {
  const begun = performance.now()
  const inspected = await inspect(context, { folder }, attention)
  if (inspected.kind !== 'finished') return inspected
  const model = inspected.value
  const tokenizer = await openTokenizer(folder)
  if (!tokenizer.ok) return refused(tokenizer.problem)
  const short = checkMemory(memoryFor(model, tokens), await context.machine.availableMemory())
  if (short !== null) return refused(short)
  const device = await placeWork(context, wish, memoryFor(model, tokens), attention)
  if (device.kind !== 'finished') return device
  const program = workerFor(context, device.value)
  if (!program.ok) return refused(program.problem)
  const on = await deviceFields(context, device.value)
  const session = await Session.open({
    program: program.value,
    job: { version: 1, threads, model: folder, context: tokens, ...on },
    cancel: attention.cancel,
    ...(attention.onNote ? { onNote: attention.onNote } : {}),
    ...(context.silence === undefined ? {} : { silence: context.silence }),
  })
  if (session.kind !== 'finished') return session
  const specials = await readSpecials(folder, tokenizer.value)
  const seconds = (performance.now() - begun) / 1000
  return {
    kind: 'finished',
    value: { model, tokenizer: tokenizer.value, specials, session: session.value, seconds },
  }
}

/** Program, buffers, allocator. */
const base = 64 * 2 ** 20

/** Bytes: the files as they lie on disk, keys and values of every token in F32, and the logits of one. */
export function memoryFor(model: Model, context: number): number {
  const tokens = context === 0 ? Math.min(model.context, usualContext) : context
  const keys = model.linears.find(({ layer, kind }) => layer === 0 && kind === 'k_proj')?.rows
  const width = keys ?? (model.hidden * model.kv_heads) / model.heads
  const files = model.files.reduce((sum, { bytes }) => sum + bytes, 0)
  return base + files + 4 * (2 * model.layers * width * tokens + model.vocabulary)
}

function checkMemory(needed: number, there: number): Problem | null {
  if (there >= needed) return null
  const message = `The model needs about ${size(needed)} of memory to write, and ${size(there)} are available: a shorter context needs less.`
  return failure('memory_short', message).problem
}
