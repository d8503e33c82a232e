// One run's life: checked, quantized by the worker, measured from the packed files, reported.
import { createWriteStream } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import type { Answer, Attention, Ending, Request } from '../contract/api.ts'
import type { Measurement, Note, QuantizeResult, RunReport } from '../contract/records.ts'
import type { WorkerEvent } from '../contract/worker.ts'
import { work, type Context } from './context.ts'
import { measure } from './evaluate.ts'
import { readLayerReports, runFiles } from './folder.ts'
import { prepare, type PreparedRun } from './prepare.ts'

export async function quantize(
  context: Context,
  request: Request<'quantize'>,
  attention: Attention,
): Promise<Ending<Answer<'quantize'>>> {
  const prepared = await prepare(context, request, attention)
  if (prepared.kind !== 'finished') return prepared
  const run = prepared.value
  if (run.report !== null) {
    attention.onNote?.({ code: 'run_finished', message: 'This run is finished already; this is its report.' })
    return { kind: 'finished', value: run.report }
  }
  await writeInputs(run)
  const events = createWriteStream(runFiles(run.out).events, { flags: 'a' })
  const notes: Note[] = []
  let program = ''
  const listener = {
    ...attention,
    onNote: (note: Note) => {
      notes.push(note)
      attention.onNote?.(note)
    },
  }
  const onEvent = (event: WorkerEvent, line: string) => {
    events.write(`${line}\n`)
    if (event.event === 'started') program = event.program
  }
  try {
    const quantized = await quantizeLayers(context, run, listener, onEvent)
    if (quantized.kind !== 'finished') return quantized
    const measured = await measureBoth(context, run, request.original ?? [], listener, onEvent)
    if (measured.kind === 'cancelled' && attention.stop?.aborted && !attention.cancel?.aborted) {
      return { kind: 'stopped', finishedLayers: run.model.layers, layers: run.model.layers }
    }
    if (measured.kind !== 'finished') return measured
    events.end()
    await once(events, 'close')
    const report = await reportOf(run, program, quantized.value, measured.value, notes)
    await writeJson(runFiles(run.out).report, report)
    return { kind: 'finished', value: report }
  } finally {
    events.end()
  }
}

/** Recipe and token files: with them the folder tells what the run is, also when it ends early. */
async function writeInputs(run: PreparedRun): Promise<void> {
  const files = runFiles(run.out)
  await mkdir(run.out, { recursive: true })
  await writeJson(files.recipe, run.recipe)
  if (run.calibration) await replaceFile(files.calibration, run.calibration.bytes)
  for (const [index, { bytes }] of run.evaluations.entries()) await replaceFile(files.evaluation(index), bytes)
}

type Listener = (event: WorkerEvent, line: string) => void

function quantizeLayers(
  context: Context,
  run: PreparedRun,
  attention: Attention,
  onEvent: Listener,
): Promise<Ending<QuantizeResult>> {
  const files = runFiles(run.out)
  const { method, parameters, calibration } = run.recipe
  const job = {
    version: 1 as const,
    threads: run.threads,
    model: run.recipe.model,
    run: run.out,
    recipe: { method, parameters },
    calibration: calibration && {
      tokens: files.calibration,
      sampling: calibration.sampling,
      sequences: calibration.sequences,
      length: calibration.length,
      seed: calibration.seed,
    },
    resume: run.resume,
    activation_limit: run.activationLimit,
  }
  return work(context, 'quantize', job, attention, { name: 'quantize' }, { jobFile: files.job, onEvent })
}

type Measured = RunReport['perplexity']

/** Original and packed on every text. The original's number may be known from an earlier run on the same tokens. */
async function measureBoth(
  context: Context,
  run: PreparedRun,
  known: NonNullable<Request<'quantize'>['original']>,
  attention: Attention,
  onEvent: Listener,
): Promise<Ending<Measured>> {
  const files = runFiles(run.out)
  const all: Measured = []
  for (const [index, { source, window }] of run.recipe.evaluations.entries()) {
    const text = run.evaluations[index]!.tokens
    const measureOne = (subject: 'original' | 'packed'): Promise<Ending<Measurement>> => {
      const model = subject === 'original' ? run.recipe.model : files.packed
      const job = { version: 1 as const, threads: run.threads, model, tokens: files.evaluation(index), window }
      return measure(context, job, attention, { name: 'evaluate', subject, source }, onEvent)
    }
    const before = known.find((one) => one.text.sha256 === text.sha256 && one.perplexity.window === window)
    const original: Ending<Measurement> = before
      ? { kind: 'finished', value: before.perplexity }
      : await measureOne('original')
    if (original.kind !== 'finished') return original
    const packed = await measureOne('packed')
    if (packed.kind !== 'finished') return packed
    all.push({ text, original: original.value, packed: packed.value })
  }
  return { kind: 'finished', value: all }
}

async function reportOf(
  run: PreparedRun,
  program: string,
  result: QuantizeResult,
  perplexity: Measured,
  warnings: Note[],
): Promise<RunReport> {
  const { linears, ...model } = run.model
  const layers = await readLayerReports(runFiles(run.out).events)
  const { calibration } = run.recipe
  const evaluate = perplexity.reduce((total, { original, packed }) => total + original.seconds + packed.seconds, 0)
  return {
    signum_report: 1,
    program,
    run: run.out,
    packed: result.packed,
    model,
    recipe: run.recipe,
    calibration:
      calibration && run.calibration
        ? {
            ...run.calibration.tokens,
            sampling: calibration.sampling,
            sequences: calibration.sequences,
            length: calibration.length,
            seed: calibration.seed,
          }
        : null,
    bits: { nominal: result.nominal_bits, linear: result.linear_bits, file: result.file_bits },
    sizes: {
      original_bytes: run.model.bytes,
      file_bytes: result.file_bytes,
      linear_bytes: result.linear_bytes,
      weights: result.weights,
      parameters: result.parameters,
    },
    perplexity,
    layers: linears.flatMap(({ name }) => layers.get(name) ?? []),
    seconds: { ...result.seconds, evaluate },
    resumed: run.resume,
    peak_resident_bytes: result.peak_resident_bytes,
    warnings,
  }
}

const writeJson = (file: string, value: unknown) => replaceFile(file, `${JSON.stringify(value, null, 1)}\n`)

/** Readers see the old file or the new one, never a part. */
async function replaceFile(file: string, content: string | Uint8Array): Promise<void> {
  await writeFile(`${file}.part`, content)
  await rename(`${file}.part`, file)
}
