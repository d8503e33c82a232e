// One run's life: checked, quantized by the worker, measured from the packed files, reported.
import type { Answer, Attention, Ending, Request } from '../contract/api.ts'
import { namedTreatment } from '../contract/overrides.ts'
import type { Note, QuantizeResult } from '../contract/records.ts'
import type { WorkerEvent } from '../contract/worker.ts'
import { refuse, refused, work, type Context } from './context.ts'
import { measure } from './evaluate.ts'
import { runFiles } from './folder.ts'
import { prepare, type PreparedRun } from './prepare.ts'
import { lostTo, openRecord, recordFinished } from './record.ts'
import { reportOf, type Measured } from './report.ts'
import { bosFor } from './source.ts'
import { openEventLog, writeInputs, writeJson } from './written.ts'

type Answered = Ending<Answer<'quantize'>>

export async function quantize(
  context: Context,
  request: Request<'quantize'>,
  attention: Attention,
  queued?: number,
): Promise<Answered> {
  const prepared = await prepare(context, request, attention)
  if (prepared.kind !== 'finished') return prepared
  const run = prepared.value
  if (run.report !== null) {
    attention.onNote?.({ code: 'run_finished', message: 'This run is finished already; this is its report.' })
    await recordFinished(context, run, run.report, attention, queued)
    return { kind: 'finished', value: run.report }
  }
  const recorded = await openRecord(context, run, request, attention, queued)
  if (recorded.kind !== 'finished') return recorded
  const record = recorded.value
  const cancel = attention.cancel ? AbortSignal.any([attention.cancel, record.lost]) : record.lost
  const onEvent: Attention['onEvent'] = (event, step) => {
    record.take(event)
    attention.onEvent?.(event, step)
  }
  let ending: Answered = refuse('internal', 'The run ended by an error that was not foreseen.')
  try {
    ending = await begin(context, run, { ...attention, cancel, onEvent })
  } finally {
    record.end(ending)
  }
  return record.lost.aborted ? { kind: 'failed', problem: lostTo.problem } : ending
}

async function begin(context: Context, run: PreparedRun, attention: Attention): Promise<Answered> {
  const written = await writeInputs(run)
  return written.ok ? carryOut(context, run, attention) : refused(written.problem)
}

/** The run's folder is ready: layers, measurements, report. */
async function carryOut(context: Context, run: PreparedRun, attention: Attention): Promise<Answered> {
  const notes: Note[] = []
  const onNote = (note: Note) => {
    notes.push(note)
    attention.onNote?.(note)
  }
  const listener = { ...attention, onNote }
  if (run.note !== null) onNote({ code: 'placement', message: run.note })
  const log = openEventLog(run.out, onNote)
  let program = ''
  let peak: number | null = null
  const onEvent = (event: WorkerEvent, line: string) => {
    log.add(line)
    if (event.event === 'started') program = event.program
    if (event.event === 'heartbeat') peak = Math.max(peak ?? 0, event.device_peak_bytes ?? 0) || null
  }
  try {
    const quantized = await quantizeLayers(context, run, listener, onEvent)
    if (quantized.kind !== 'finished') return quantized
    const measured = await measureBoth(context, run, listener, onEvent)
    if (measured.kind === 'cancelled' && attention.stop?.aborted && !attention.cancel?.aborted) {
      return { kind: 'stopped', finishedLayers: run.model.layers, layers: run.model.layers }
    }
    if (measured.kind !== 'finished') return measured
    await log.end()
    const report = await reportOf(run, { program, peak }, quantized.value, measured.value, notes)
    await writeJson(runFiles(run.out).report, report)
    return { kind: 'finished', value: report }
  } finally {
    await log.end()
  }
}

type Listener = (event: WorkerEvent, line: string) => void

function quantizeLayers(
  context: Context,
  run: PreparedRun,
  attention: Attention,
  onEvent: Listener,
): Promise<Ending<QuantizeResult>> {
  const files = runFiles(run.out)
  const { calibration } = run.recipe
  const names = run.model.linears.map(({ name }) => name)
  const job = {
    version: 1 as const,
    threads: run.threads,
    model: run.recipe.model,
    run: run.out,
    recipe: namedTreatment(run.recipe, names),
    calibration: calibration && {
      tokens: files.calibration,
      sampling: calibration.sampling,
      sequences: calibration.sequences,
      length: calibration.length,
      seed: calibration.seed,
    },
    resume: run.resume,
    ...(run.resume && run.elsewhere ? { resume_elsewhere: true } : {}),
    activation_limit: run.activationLimit,
    ...run.device.fields,
  }
  return work(context, 'quantize', job, attention, { name: 'quantize' }, { jobFile: files.job, onEvent })
}

/** The packed model beside the original, text by text. */
async function measureBoth(
  context: Context,
  run: PreparedRun,
  attention: Attention,
  onEvent: Listener,
): Promise<Ending<Measured>> {
  const files = runFiles(run.out)
  const all: Measured = []
  for (const [index, { source, window, protocol }] of run.recipe.evaluations.entries()) {
    const job = {
      version: 1 as const,
      threads: run.threads,
      model: files.packed,
      reference: run.recipe.model,
      tokens: files.evaluation(index),
      window,
      protocol,
      bos: await bosFor(protocol, run.model),
      targets: files.targets(index),
      ...run.device.fields,
    }
    const measured = await measure(context, job, attention, { name: 'evaluate', subject: 'both', source }, onEvent)
    if (measured.kind !== 'finished') return measured
    const { model: packed, reference: original, comparison } = measured.value
    all.push({ text: run.evaluations[index]!.tokens, original: original!, packed, comparison })
  }
  return { kind: 'finished', value: all }
}
