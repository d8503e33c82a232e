// What a run leaves in the history while it goes on, and its hold on the device. A history that cannot be used is worth one
// note, never the run.
import { setTimeout as pause } from 'node:timers/promises'
import type { Attention, Ending, Request } from '../contract/api.ts'
import { failure, success, type Problem, type Result } from '../contract/errors.ts'
import { processor } from '../contract/devices.ts'
import { layerReportSchema, type LayerReport, type Note, type RunReport } from '../contract/records.ts'
import type { WorkerEvent } from '../contract/worker.ts'
import type { History } from '../history/history.ts'
import { heartbeatTime } from '../history/leases.ts'
import { refused, type Context } from './context.ts'
import { runName } from '../contract/run-name.ts'
import type { PreparedRun } from './prepare.ts'

export type RunRecord = {
  /** Aborted when another process took the run for lost. */
  lost: AbortSignal
  take: (event: WorkerEvent) => void
  end: (ending: Ending<RunReport>) => void
}

type Asked = Pick<Request<'quantize'>, 'name'>

const never = new AbortController().signal
const unrecorded: RunRecord = { lost: never, take: () => undefined, end: () => undefined }

/** Waits until the device is free. `queued`: the row of a run that waited in the queue. */
export async function openRecord(
  context: Context,
  run: PreparedRun,
  asked: Asked,
  attention: Attention,
  queued?: number,
): Promise<Ending<RunRecord>> {
  const opened = await context.history?.()
  if (opened === undefined) return { kind: 'finished', value: unrecorded }
  const warn = warnOnce(attention.onNote)
  if (!opened.ok) {
    warn(opened.problem)
    return { kind: 'finished', value: unrecorded }
  }
  const history = opened.value
  for (let told = false; ; told = true) {
    const claimed = history.decide(() => claim(history, run, asked, queued, run.device.id))
    if (claimed.ok) return { kind: 'finished', value: record(history, claimed.value, run.device.id, warn) }
    const { code, message } = claimed.problem
    if (code === 'history_unavailable') {
      warn(claimed.problem)
      return { kind: 'finished', value: unrecorded }
    }
    if (code !== 'device_busy') return refused(claimed.problem)
    if (!told) attention.onNote?.({ code, message: `${message} Waiting for it to end.` })
    const signals = [attention.stop, attention.cancel].filter((signal) => signal !== undefined)
    const ended = await pause(context.retry ?? 1000, false, { signal: AbortSignal.any(signals) }).catch(() => true)
    if (ended) return { kind: 'cancelled' }
  }
}

/** A run that was finished before the history knew of it, or whose last word did not reach the history. */
export async function recordFinished(
  context: Context,
  run: PreparedRun,
  report: RunReport,
  attention: Attention,
  queued?: number,
): Promise<void> {
  const history = await context.history?.()
  if (!history?.ok || history.value.runs.inFolder(run.out)?.status === 'finished') return
  const { value } = history
  const done = value.decide(() => {
    // It takes no device to write down what is there.
    const id = claim(value, run, {}, queued, null)
    if (id.ok) {
      const { id: device, name, precision } = report.device ?? { id: processor, name: null, precision: null }
      value.runs.computeOn(id.value, { id: device, name, precision })
      finish(value, id.value, report)
    }
    return id
  })
  if (!done.ok) warnOnce(attention.onNote)(done.problem)
}

function claim(
  history: History,
  run: PreparedRun,
  asked: Asked,
  queued: number | undefined,
  device: string | null,
): Result<number> {
  const { runs, leases, models } = history
  if (queued !== undefined && runs.get(queued)?.status !== 'queued') {
    return failure('run_unknown', `Run ${queued} is no longer waiting.`)
  }
  const known = runs.inFolder(run.out)
  let id = queued ?? known?.id
  // An empty folder: the files of an earlier run in it are gone, and what they came to stays.
  if (known && run.fresh && known.id !== queued && leases.ofRun(known.id) === null) {
    runs.place(known.id, null)
    id = queued
  }
  const { recipe } = run
  id ??= runs.add({ name: asked.name ?? runName(recipe.model, recipe), recipe, folder: run.out, device: run.device.id })
  const lease = leases.acquire(id, device)
  if (!lease.ok) return lease
  history.queue.remove(id)
  runs.begin(id, models.see(run.model), run.model.layers, recipe)
  if (device !== null) runs.computeOn(id, run.device)
  return success(id)
}

function record(history: History, id: number, device: string, warn: (problem: Problem) => void): RunRecord {
  const lost = new AbortController()
  const write = (change: () => void) => {
    const done = history.write(change)
    if (!done.ok) warn(done.problem)
  }
  const began = history.runs.get(id)?.started_at
  const keep = (): Result<null> => {
    if (history.leases.renew(id)) return success(null)
    // Taken for lost while this process was held up, and nobody has touched it since: it goes on.
    const row = history.runs.get(id)
    if (row?.status !== 'interrupted' || row.started_at !== began) return lostTo
    history.runs.goOn(id)
    return history.leases.acquire(id, device)
  }
  const heart = setInterval(() => {
    const kept = history.decide(keep)
    if (!kept.ok && kept.problem.code !== 'history_unavailable') lost.abort()
  }, heartbeatTime).unref()
  let reports: LayerReport[] = []
  let peak = 0
  const flush = () => {
    if (peak > 0) history.runs.usedOfCard(id, peak)
    for (const report of reports) history.layerReports.put(id, report)
    reports = []
  }
  return {
    lost: lost.signal,
    take(event) {
      if (event.event === 'heartbeat') peak = Math.max(peak, event.device_peak_bytes ?? 0)
      if (event.event === 'layer') reports.push(layerReportSchema.parse(event))
      // The linears of a decoder layer go in together, when their files are durable.
      if (event.event !== 'saved') return
      write(() => {
        flush()
        history.runs.advance(id, Math.min(event.layer + 1, history.runs.get(id)?.layers ?? 0))
      })
    },
    end(ending) {
      clearInterval(heart)
      write(() => {
        if (!keep().ok) return lost.abort()
        flush()
        if (ending.kind === 'finished') finish(history, id, ending.value)
        else if (ending.kind === 'failed') history.runs.end(id, 'failed', ending.problem)
        else history.runs.end(id, ending.kind)
        history.leases.release(id)
      })
    },
  }
}

export const lostTo = failure('run_lost', 'Another process took this run over: this one had given no sign of life.')

function finish(history: History, id: number, report: RunReport): void {
  for (const layer of report.layers) history.layerReports.put(id, layer)
  for (const { text, original, packed, comparison } of report.perplexity) {
    history.metrics.put({ run: id }, 'original', text, original)
    history.metrics.put({ run: id }, 'packed', text, packed)
    if (comparison !== null) history.metrics.putComparison(id, text, packed, comparison)
  }
  history.runs.finish(id, report)
  history.leases.release(id)
}

function warnOnce(onNote: ((note: Note) => void) | undefined) {
  let warned = false
  return ({ code, message }: Problem) => {
    if (!warned) onNote?.({ code, message: `${message} What happens is not recorded there.` })
    warned = true
  }
}
