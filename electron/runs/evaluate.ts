// Perplexity of a model folder on a text.
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import type { Answer, Attention, Ending, Request, Step } from '../contract/api.ts'
import type { Measurement } from '../contract/records.ts'
import type { Jobs, WorkerEvent } from '../contract/worker.ts'
import { windowOf } from '../contract/recipe.ts'
import { readEvaluation } from './checks.ts'
import { refused, work, type Context } from './context.ts'
import { runFiles } from './folder.ts'
import { recordMeasurement } from './history.ts'
import { sourceReader } from './source.ts'

/** There is no layer to finish in a measurement: a stop ends it like a cancel. */
export async function measure(
  context: Context,
  job: Jobs['evaluate'],
  attention: Attention,
  step: Step,
  onEvent?: (event: WorkerEvent, line: string) => void,
): Promise<Ending<Measurement>> {
  const signals = [attention.stop, attention.cancel].filter((signal) => signal !== undefined)
  const cancel = AbortSignal.any(signals)
  const ending = await work(
    context,
    'evaluate',
    job,
    { ...attention, stop: undefined, cancel },
    step,
    onEvent ? { onEvent } : {},
  )
  if (ending.kind !== 'finished') return ending
  const { perplexity, standard_error, tokens, windows, seconds } = ending.value
  const measurement = {
    protocol: 'papers',
    value: perplexity,
    standard_error,
    tokens,
    windows,
    window: job.window,
    seconds,
  }
  return { kind: 'finished', value: measurement }
}

/** A model folder (original or packed), or a run's folder, whose packed model is meant then. */
export async function evaluate(
  context: Context,
  request: Request<'evaluate'>,
  attention: Attention,
): Promise<Ending<Answer<'evaluate'>>> {
  const threads = request.threads || availableParallelism()
  const model = await modelFolder(path.resolve(request.model))
  const inspected = await work(context, 'inspect', { version: 1, threads: 1, model }, attention, null)
  if (inspected.kind !== 'finished') return inspected
  const window = windowOf(request.window, inspected.value)
  const read = await readEvaluation(sourceReader(context.root), { source: request.source, window }, inspected.value)
  if (!read.ok) return refused(read.problem)
  const { bytes, tokens: text } = read.value

  const temporary = await mkdtemp(path.join(tmpdir(), 'signum-'))
  try {
    const tokens = path.join(temporary, 'evaluation.u32')
    await writeFile(tokens, bytes)
    const { packed } = inspected.value
    const step = { name: 'evaluate', subject: packed ? 'packed' : 'original', source: text.source } as const
    const measured = await measure(context, { version: 1, threads, model, tokens, window }, attention, step)
    if (measured.kind !== 'finished') return measured
    const answer = { model, packed, text, perplexity: measured.value }
    const run = path.basename(model) === path.basename(runFiles('').packed) ? path.dirname(model) : null
    await recordMeasurement(context, inspected.value, answer, run, attention.onNote)
    return { kind: 'finished', value: answer }
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

async function modelFolder(folder: string): Promise<string> {
  const { recipe, packed } = runFiles(folder)
  const there = (file: string) => stat(file).then(Boolean, () => false)
  return (await there(recipe)) && (await there(packed)) ? packed : folder
}
