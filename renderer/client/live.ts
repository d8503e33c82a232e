// What is known of a run at work from what its workers said. Pure: the time is given.
import type { Ending, Step } from '../../electron/contract/api.ts'
import type { LayerReport, Metric, Note, RunReport } from '../../electron/contract/records.ts'
import type { WorkerEvent } from '../../electron/contract/worker.ts'

export type Progress = Extract<WorkerEvent, { event: 'progress' }>
export type Plan = Extract<WorkerEvent, { event: 'plan' }>

/** A line of the log. `at`: seconds of work since the run first began, over all its workers. */
export type Heard =
  { at: number; event: WorkerEvent; step: Step | null } | { at: number; event: null; step: null; note: Note }

export type Live = {
  step: Step | null
  progress: Progress | null
  /** When `progress` was heard, by `performance.now()`. */
  progressAt: number
  plan: Plan | null
  /** What is being done, and to which decoder layer. */
  phase: string | null
  layer: number
  /** Decoder layers that are durable. */
  saved: number
  layers: Map<string, LayerReport>
  /** What the packed model was measured to, in that order. */
  metrics: { step: Step | null; metric: Metric }[]
  notes: Note[]
  /** Everything but progress and heartbeats. */
  log: Heard[]
  /** Bytes of the worker's memory. */
  resident: number | null
  /** The card that it computes on; null: the processor. */
  device: Extract<WorkerEvent, { event: 'started' }>['device']
  /** Bytes of the card's memory that the worker has, and the most that it had. */
  cardBytes: number | null
  cardPeak: number | null
  /** Seconds of work: of the workers before this one, and of all. */
  clock: { before: number; now: number }
  ending: Ending<RunReport> | null
}

export const fresh = (): Live => ({
  step: null,
  progress: null,
  progressAt: 0,
  plan: null,
  phase: null,
  layer: 0,
  saved: 0,
  layers: new Map(),
  metrics: [],
  notes: [],
  log: [],
  resident: null,
  device: null,
  cardBytes: null,
  cardPeak: null,
  clock: { before: 0, now: 0 },
  ending: null,
})

/** What is known after one more event. */
export function after(live: Live, event: WorkerEvent, step: Step | null, now: number): Live {
  const before = event.event === 'started' ? live.clock.now : live.clock.before
  const at = before + event.elapsed
  const base = { ...live, step: step ?? live.step, clock: { before, now: Math.max(at, live.clock.now) } }
  if (event.event === 'heartbeat') {
    const { resident_bytes: resident, device_bytes = null, device_peak_bytes: peak } = event
    const cardPeak = peak === undefined ? live.cardPeak : Math.max(peak, live.cardPeak ?? 0)
    return { ...base, resident, cardBytes: device_bytes, cardPeak }
  }
  if (event.event === 'progress') {
    // Inputs are passed on through a layer once it is durable.
    const layer = event.phase === 'propagate' ? Math.max(0, live.saved - 1) : live.saved
    return { ...base, progress: event, progressAt: now, phase: event.phase, layer }
  }
  // A resumed worker tells of finished layers again.
  const again = event.event === 'layer' && event.layer < (live.plan?.resumed_layers ?? 0)
  const heard = again ? base : { ...base, log: [...live.log, { at, event, step: base.step }] }
  switch (event.event) {
    case 'started':
      // What was measured before belongs to an earlier attempt where the layers begin again.
      return {
        ...heard,
        device: event.device,
        cardBytes: null,
        progress: null,
        phase: null,
        metrics: event.command === 'quantize' ? [] : live.metrics,
      }
    case 'plan':
      return { ...heard, plan: event, saved: event.resumed_layers }
    case 'layer':
      return {
        ...heard,
        ...(again ? {} : { phase: 'quantize', layer: event.layer }),
        layers: new Map(live.layers).set(event.name, event),
      }
    case 'saved':
      return { ...heard, saved: Math.min(live.plan?.layers ?? event.layer + 1, event.layer + 1) }
    case 'metric':
      return { ...heard, metrics: [...live.metrics, { step: base.step, metric: event }] }
    default:
      return heard
  }
}

/** A note is logged unless it is what the worker has just said. */
export function noted(live: Live, note: Note): Live {
  const said = live.log.at(-1)?.event
  const known = said?.event === 'warning' && said.message === note.message
  const log: Heard[] = known ? live.log : [...live.log, { at: live.clock.now, event: null, step: null, note }]
  return { ...live, notes: [...live.notes, note], log }
}

/** From the lines in a run's folder, which do not say what was measured: the two models together, text by text. */
export function rebuilt(events: readonly WorkerEvent[], evaluations: readonly { source: string }[], now: number): Live {
  let live = fresh()
  let step: Step | null = null
  let measured = 0
  for (const event of events) {
    if (event.event === 'started') {
      if (event.command === 'quantize') [step, measured] = [{ name: 'quantize' }, 0]
      else {
        step = { name: 'evaluate', subject: 'both', source: evaluations[measured]?.source ?? '' }
        measured++
      }
    }
    live = after(live, event, step, now)
  }
  const age = live.progress === null ? 0 : live.clock.now - live.clock.before - live.progress.elapsed
  return { ...live, progressAt: now - 1000 * age }
}

/** Of events that were heard while the folder's lines were read, those that are not among these lines. */
export function newer<E extends { event: WorkerEvent }>(read: readonly WorkerEvent[], heard: readonly E[]): E[] {
  const begun = read.findLastIndex(({ event }) => event === 'started')
  const first = read[begun]
  const pid = first?.event === 'started' ? first.pid : null
  const last = Math.max(-1, ...read.slice(Math.max(0, begun)).map(({ seq }) => seq))
  let other = false
  return heard.filter(({ event }) => {
    if (event.event === 'started' && event.pid !== pid) other = true
    return other || event.seq > last
  })
}
