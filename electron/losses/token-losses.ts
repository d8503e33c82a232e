// What a finished run's models lost at every token of a text, from the files that its evaluation left.
import { stat } from 'node:fs/promises'
import { failure, success, type Result } from '../contract/errors.ts'
import type { Ending } from '../contract/api.ts'
import type { RunReport } from '../contract/records.ts'
import { tokenLossesRequestSchema, type TokenLosses, type TokenLossesRequest } from '../contract/token-losses.ts'
import { openTokenizer, type Tokenizer } from '../models/tokenizer.ts'
import { PackedError } from '../packed/errors.ts'
import { endingOf, type Context } from '../runs/context.ts'
import { runFiles } from '../runs/folder.ts'
import { report, runFolder } from '../runs/run-files.ts'
import { measuresAt, meansOf, positionOf, worstTokens, worstWindows, type Beside } from './measures.ts'
import { piecesOf } from './pieces.ts'
import { readTargets, type Targets } from './targets.ts'

type Decode = Tokenizer['decode']
type Measured = RunReport['perplexity'][number]
type OfRun = { folder: string; measured: Measured; targets: Targets }

/** Tokens before and after a worst one that are told with it. */
const around = 12
const mostTokenizers = 2
/** Tokens that are made text in one go: some ten milliseconds. */
const part = 512
const withoutTokenizer: Decode = () => ''

export type TokenLossesBook = { read: (request: TokenLossesRequest) => Promise<Ending<TokenLosses>> }

/** Keeps the tokenizers used last: a large one takes a second to open. */
export function openTokenLosses(context: Context): TokenLossesBook {
  const tokenizers = new Map<string, Promise<Decode>>()
  const decoderOf = (folder: string): Promise<Decode> => {
    const known = tokenizers.get(folder)
    const opened = known ?? openTokenizer(folder).then((one) => (one.ok ? one.value.decode : withoutTokenizer))
    tokenizers.delete(folder)
    tokenizers.set(folder, opened)
    for (const old of [...tokenizers.keys()].slice(0, -mostTokenizers)) tokenizers.delete(old)
    return opened
  }
  return {
    async read(asked) {
      const request = tokenLossesRequestSchema.parse(asked)
      const one = await readRun(context, request.id, request.text)
      if (!one.ok) return endingOf(one)
      const models = await besideWhat(context, one.value, request.against, request.id)
      if (!models.ok) return endingOf(models)
      const decode = await decoderOf(runFiles(one.value.folder).packed)
      return { kind: 'finished', value: await answer(request, one.value, models.value, decode) }
    },
  }
}

async function answer(
  { from: wanted, count, worst, order }: ReturnType<typeof tokenLossesRequestSchema.parse>,
  { measured, targets }: OfRun,
  models: Beside,
  decode: Decode,
): Promise<TokenLosses> {
  const { protocol, windows, window, unpredicted, tokens } = targets
  const positions = tokens.length
  const from = Math.min(wanted, positions)
  const end = Math.min(positions, from + count)
  const textOf = (first: number, last: number) => piecesOf(decode, tokens, first, last).join('')
  return {
    text: measured.text,
    protocol,
    windows,
    window,
    unpredicted,
    positions,
    totals: meansOf(models),
    worst: worstTokens(models, order, worst).map((k) => {
      const position = positionOf(models, k)
      const start = position - (position % window)
      return {
        position,
        token: tokens[position]!,
        text: textOf(position, position + 1),
        before: textOf(Math.max(start, position - around), position),
        after: textOf(position + 1, Math.min(start + window, position + 1 + around)),
        loss: models.losses[k]!,
        other_loss: models.others[k]!,
        kld: models.kld && models.kld[k]!,
        same_top: models.sameTop && models.sameTop[k] === 1,
      }
    }),
    worst_windows: worstWindows(models, order, worst),
    from,
    tokens: tokens.slice(from, end),
    pieces: await inParts(from, end, (first, last) => piecesOf(decode, tokens, first, last)),
    ...measuresAt(models, from, end),
  }
}

/** Whoever else waits for this process has a turn between two parts. */
async function inParts<T>(from: number, end: number, take: (first: number, last: number) => T[]): Promise<T[]> {
  const all: T[] = []
  for (let first = from; first < end; first += part) {
    all.push(...take(first, Math.min(end, first + part)))
    await new Promise(setImmediate)
  }
  return all
}

async function besideWhat(
  context: Context,
  { measured, targets }: OfRun,
  against: number | null,
  id: number,
): Promise<Result<Beside>> {
  const { windows, window, unpredicted, losses, reference } = targets
  const shape = { windows, window, unpredicted, losses }
  if (against === null) {
    if (reference === null) return failure('losses_missing', `Run ${id} was measured without its original.`)
    return success({ ...shape, others: reference.losses, kld: reference.kld, sameTop: reference.sameTop })
  }
  const candidates = await report(context, against)
  const { text, packed } = measured
  const alike = (one: Measured) =>
    one.text.sha256 === text.sha256 && one.packed.protocol === packed.protocol && one.packed.window === packed.window
  const place = candidates.kind === 'finished' ? candidates.value.perplexity.findIndex(alike) : -1
  if (candidates.kind === 'finished' && place < 0) {
    return failure(
      'texts_differ',
      `Run ${against} was not measured on ${text.source} in the tokens and windows of run ${id}.`,
    )
  }
  const other = await readRun(context, against, Math.max(0, place))
  if (!other.ok) return other
  const same =
    other.value.targets.protocol === targets.protocol &&
    other.value.targets.unpredicted === unpredicted &&
    Buffer.compare(Buffer.from(other.value.targets.tokens.buffer), Buffer.from(targets.tokens.buffer)) === 0
  if (!same || other.value.targets.window !== window) {
    return failure('texts_differ', `Runs ${id} and ${against} were not measured in the same windows of ${text.source}.`)
  }
  return success({ ...shape, others: other.value.targets.losses, kld: null, sameTop: null })
}

async function readRun(context: Context, id: number, text: number): Promise<Result<OfRun>> {
  const folder = await runFolder(context, id)
  if (!folder.ok) return folder
  const told = await report(context, id)
  if (told.kind === 'failed') return { ok: false, problem: told.problem }
  if (told.kind !== 'finished') return failure('run_lost', 'Nobody asks any more.')
  const measured = told.value.perplexity[text]
  if (measured === undefined) {
    const nothing = told.value.perplexity.length === 0
    const why = told.value.imported ? 'it was made elsewhere' : 'its recipe has no evaluation'
    return failure(
      'losses_missing',
      nothing
        ? `Run ${id} was measured on no text (${why}): a new run with an evaluation text has losses.`
        : `Run ${id} was measured on ${told.value.perplexity.length} texts; there is no text ${text + 1}.`,
    )
  }
  const file = runFiles(folder.value).targets(text)
  if (!(await stat(file).catch(() => null))) {
    return failure(
      'losses_missing',
      `Run ${id} has no losses of single tokens: it was measured before Signum kept them, or ${file} was removed. A new run of its recipe has them.`,
    )
  }
  try {
    return success({ folder: folder.value, measured, targets: await readTargets(file) })
  } catch (error) {
    if (!(error instanceof PackedError)) throw error
    return { ok: false, problem: { code: error.code, message: error.message } }
  }
}
