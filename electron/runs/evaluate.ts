// A model folder measured on a text, alone or beside another one.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import type { Answer, Attention, Ending, Request, Step } from '../contract/api.ts'
import { windowOf, type Comparison } from '../contract/evaluation.ts'
import type { EvaluationResult, Measurement } from '../contract/records.ts'
import type { Jobs, WorkerEvent } from '../contract/worker.ts'
import { deviceFields } from './cards.ts'
import { readEvaluation } from './checks.ts'
import { refused, stoppedAtOnce, work, type Context } from './context.ts'
import { modelFolder, runOfModel } from './folder.ts'
import { recordMeasurement } from './history.ts'
import { evaluationMemoryNeeded } from './needs.ts'
import { placeWork } from './placement.ts'
import { bosFor, sourceReader } from './source.ts'

export type Evaluated = { model: Measurement; reference: Measurement | null; comparison: Comparison | null }

/** A stop ends it like a cancel. */
export async function measure(
  context: Context,
  job: Jobs['evaluate'],
  attention: Attention,
  step: Step,
  onEvent?: (event: WorkerEvent, line: string) => void,
): Promise<Ending<Evaluated>> {
  const ending = await work(context, 'evaluate', job, stoppedAtOnce(attention), step, onEvent ? { onEvent } : {})
  if (ending.kind !== 'finished') return ending
  const { model, reference, comparison } = ending.value
  const measurementOf = (one: typeof model): Measurement => measurement(ending.value, one)
  const evaluated = { model: measurementOf(model), reference: reference && measurementOf(reference), comparison }
  return { kind: 'finished', value: evaluated }
}

function measurement(
  { protocol, tokens, windows, window }: EvaluationResult,
  { perplexity: value, standard_error, seconds }: EvaluationResult['model'],
): Measurement {
  return { protocol, value, standard_error, tokens, windows, window, seconds }
}

/** A model folder (original or packed), or a run's folder, whose packed model is meant then. */
export async function evaluate(
  context: Context,
  request: Request<'evaluate'>,
  attention: Attention,
): Promise<Ending<Answer<'evaluate'>>> {
  const { against, protocol = 'papers', join = 'raw' } = request
  const threads = request.threads || availableParallelism()
  const model = await modelFolder(path.resolve(request.model))
  const reference = against ? await modelFolder(path.resolve(against)) : null
  const inspected = await work(context, 'inspect', { version: 1, threads: 1, model }, attention, null)
  if (inspected.kind !== 'finished') return inspected
  const window = windowOf(request.window, inspected.value, protocol)
  const asked = { source: request.source, window, protocol, join }
  const read = await readEvaluation(sourceReader(context.root), asked, inspected.value)
  if (!read.ok) return refused(read.problem)
  const { bytes, tokens: text } = read.value

  const temporary = await mkdtemp(path.join(tmpdir(), 'signum-'))
  try {
    const tokens = path.join(temporary, 'evaluation.u32')
    await writeFile(tokens, bytes)
    const { packed } = inspected.value
    const subject = reference !== null ? 'both' : packed ? 'packed' : 'original'
    const bos = await bosFor(protocol, inspected.value)
    const needed = evaluationMemoryNeeded(inspected.value, window, text.tokens)
    const device = await placeWork(context, request.device, needed, attention)
    if (device.kind !== 'finished') return device
    const on = await deviceFields(context, device.value)
    const job = { version: 1, threads, model, reference, tokens, window, protocol, bos, targets: null, ...on } as const
    const measured = await measure(context, job, attention, { name: 'evaluate', subject, source: text.source })
    if (measured.kind !== 'finished') return measured
    const { model: perplexity, reference: other, comparison } = measured.value
    const beside = reference && other && comparison && { model: reference, perplexity: other, comparison }
    const answer = { model, packed, text, perplexity, against: beside || null }
    await recordMeasurement(context, inspected.value, answer, runOfModel(model), attention.onNote)
    return { kind: 'finished', value: answer }
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}
