// The runs, the queue, and what is heard of the run at work, for every view that shows them.
import type { Ending, Step } from '../../electron/contract/api.ts'
import type { RunRow, RunSummary } from '../../electron/contract/history.ts'
import type { LayerReport, Note, RunReport } from '../../electron/contract/records.ts'
import type { Problem } from '../../electron/contract/errors.ts'
import type { WorkerEvent } from '../../electron/contract/worker.ts'
import type { WindowEvent } from '../../electron/contract/window.ts'
import { ask, listen } from './client.ts'

type Progress = Extract<WorkerEvent, { event: 'progress' }>

/** What was heard of a run since the window opened. */
export type Live = {
  step: Step | null
  progress: Progress | null
  plan: Extract<WorkerEvent, { event: 'plan' }> | null
  layers: Map<string, LayerReport>
  notes: Note[]
  /** Bytes of the worker's memory. */
  resident: number | null
  /** By `performance.now()`. */
  startedAt: number
  ending: Ending<RunReport> | null
}

const fresh = (): Live => ({
  step: null,
  progress: null,
  plan: null,
  layers: new Map(),
  notes: [],
  resident: null,
  startedAt: performance.now(),
  ending: null,
})

class Runs {
  /** Newest first. */
  list = $state.raw<RunSummary[]>([])
  waiting = $state.raw<RunRow[]>([])
  current = $state<number | null>(null)
  /** Why the queue waits, when another process has the device. */
  held = $state<string | null>(null)
  /** By run; a new object for every change. */
  live = $state.raw<ReadonlyMap<number, Live>>(new Map())
  problem = $state.raw<Problem | null>(null)
  loaded = $state(false)
  #refreshing = false
  #again = false

  async open(): Promise<void> {
    listen((event) => this.#hear(event))
    await this.refresh()
  }

  /** Asks for list and queue; calls while one is under way become one more. */
  async refresh(): Promise<void> {
    if (this.#refreshing) {
      this.#again = true
      return
    }
    this.#refreshing = true
    do {
      this.#again = false
      const [runs, queue] = await Promise.all([ask('runs', {}), ask('queue', {})])
      this.problem = runs.problem ?? queue.problem
      if (runs.value) this.list = runs.value
      if (queue.value) {
        this.current = queue.value.current
        this.waiting = queue.value.waiting
      }
    } while (this.#again)
    this.#refreshing = false
    this.loaded = true
  }

  get(id: number | undefined): RunSummary | null {
    return this.list.find((run) => run.id === id) ?? null
  }

  /** Finished, newest first: those that can be looked at and compared. */
  get finished(): RunSummary[] {
    return this.list.filter(({ status, folder }) => status === 'finished' && folder !== null)
  }

  #hear(event: WindowEvent): void {
    switch (event.kind) {
      case 'changed':
      case 'history':
        return void this.refresh()
      case 'started':
        this.current = event.run
        this.held = null
        this.#set(event.run, fresh())
        return void this.refresh()
      case 'event':
        return this.#set(event.run, after(this.live.get(event.run) ?? fresh(), event.event, event.step))
      case 'note': {
        if (event.run === null) return
        const live = this.live.get(event.run) ?? fresh()
        return this.#set(event.run, { ...live, notes: [...live.notes, event.note] })
      }
      case 'waiting':
        this.held = event.message
        return
      case 'ended': {
        const live = this.live.get(event.run) ?? fresh()
        this.#set(event.run, { ...live, ending: event.ending })
        return void this.refresh()
      }
      case 'settings':
        return
    }
  }

  #set(run: number, live: Live): void {
    this.live = new Map(this.live).set(run, live)
  }
}

/** Pure: what is known of a run after one more event. */
export function after(live: Live, event: WorkerEvent, step: Step): Live {
  const now = { ...live, step }
  switch (event.event) {
    case 'progress':
      return { ...now, progress: event }
    case 'plan':
      return { ...now, plan: event }
    case 'layer':
      return { ...now, layers: new Map(live.layers).set(event.name, event) }
    case 'heartbeat':
      return { ...now, resident: event.resident_bytes }
    default:
      return now
  }
}

export const runs = new Runs()
