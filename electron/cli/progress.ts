// How far the work is, on standard error: one line that is rewritten on a terminal, plain lines now and then elsewhere.
import { duration, size } from '../contract/quantities.ts'
import type { Step } from '../contract/api.ts'
import type { WorkerEvent } from '../contract/worker.ts'

export type ProgressState = {
  title: string
  layers: number
  layersDone: number
  phase: string
  done: number
  total: number
  unit: string
  /** Seconds left, as the worker believes. */
  eta: number | null
}

export const begin = (title: string): ProgressState => ({
  title,
  layers: 0,
  layersDone: 0,
  phase: '',
  done: 0,
  total: 0,
  unit: '',
  eta: null,
})

export function advance(state: ProgressState, event: WorkerEvent): ProgressState {
  switch (event.event) {
    case 'plan':
      return { ...state, layers: event.layers, layersDone: event.resumed_layers }
    case 'progress':
      return { ...state, phase: event.phase, done: event.done, total: event.total, unit: event.unit, eta: event.eta }
    case 'measured':
    case 'saved':
      return { ...state, layersDone: Math.min(state.layers, event.layer + 1) }
    default:
      return state
  }
}

export function titleOf(step: Step): string {
  return step.name === 'evaluate' ? `evaluate ${step.subject}` : step.name
}

/** The share of the work that is behind, 0 to 1. Layers count where there are any; what is open of one is not known. */
export function share(state: ProgressState): number {
  if (state.layers > 0) return state.layersDone / state.layers
  return state.total > 0 ? Math.min(1, state.done / state.total) : 0
}

export function plainLine(state: ProgressState): string {
  const parts = [state.title]
  if (state.layers > 0) parts.push(`layer ${Math.min(state.layers, state.layersDone + 1)} of ${state.layers}`)
  if (state.phase !== '') parts.push(`${state.phase} ${amount(state)}`.trimEnd())
  if (state.eta !== null) parts.push(`${duration(state.eta)} left`)
  return parts.join(', ')
}

const amount = ({ done, total, unit }: ProgressState): string =>
  unit === 'bytes' ? `${size(done)} of ${size(total)}` : `${done}/${total} ${unit}`

export function barLine(state: ProgressState, columns: number): string {
  const width = 20
  const filled = Math.round(share(state) * width)
  const bar = `[${'#'.repeat(filled)}${'-'.repeat(width - filled)}]`
  return `${bar} ${plainLine(state)}`.slice(0, Math.max(20, columns - 1))
}

export type Sink = { write: (text: string) => void; terminal: boolean; columns: () => number; now: () => number }

export class ProgressLine {
  #sink: Sink
  #state: ProgressState | null = null
  #step = ''
  #written = -Infinity
  #shown = false

  constructor(sink: Sink) {
    this.#sink = sink
  }

  /** `prefix`: what is being worked on, when a command does several things. */
  take(event: WorkerEvent, step: Step, prefix = ''): void {
    const title = `${prefix}${titleOf(step)}`
    if (this.#state === null || this.#step !== title) {
      this.#state = begin(title)
      this.#step = title
    }
    this.#state = advance(this.#state, event)
    if (event.event === 'heartbeat' || event.event === 'started') return
    const pause = this.#sink.terminal ? 100 : 3000
    if (this.#sink.now() - this.#written < pause) return
    this.#written = this.#sink.now()
    if (this.#sink.terminal) {
      this.#sink.write(`\r\x1b[2K${barLine(this.#state, this.#sink.columns())}`)
      this.#shown = true
    } else this.#sink.write(`${plainLine(this.#state)}\n`)
  }

  /** Takes the line away, so that something else can be written. */
  clear(): void {
    if (this.#shown) this.#sink.write('\r\x1b[2K')
    this.#shown = false
  }
}
