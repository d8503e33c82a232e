// The runs, the queue, and what is heard of the run at work, for every view that shows them.
import type { RunRow, RunSummary } from '../../electron/contract/history.ts'
import type { Problem } from '../../electron/contract/errors.ts'
import { merged, type RunList } from '../../electron/contract/run-list.ts'
import type { WindowEvent } from '../../electron/contract/window.ts'
import { ask, listen } from './client.ts'
import { after, fresh, newer, noted, rebuilt, type Live } from './live.ts'

export type { Live }

type RunEvent = Extract<WindowEvent, { kind: 'event' }>

/** What every table shows of the metrics is parsed before somebody opens one, some runs at a time. */
function warm(list: readonly RunSummary[]): void {
  let at = 0
  const some = () => {
    for (const end = Math.min(list.length, at + 300); at < end; at++) void list[at]!.metrics
    if (at < list.length) setTimeout(some)
  }
  setTimeout(some, 300)
}

class Runs {
  /** Newest first; archived ones among them. A new list for every change, with the same objects for the runs that did not. */
  list = $state.raw<RunSummary[]>([])
  #byId = $derived(new Map(this.list.map((run) => [run.id, run])))
  waiting = $state.raw<RunRow[]>([])
  /** At work in this program, in the order of their beginning: one on each device. */
  running = $state.raw<readonly number[]>([])
  /** Why a waiting run waits: which device for, and who has that; by run. */
  held = $state.raw<ReadonlyMap<number, string>>(new Map())
  /** By run; a new object for every change. */
  live = $state.raw<ReadonlyMap<number, Live>>(new Map())
  problem = $state.raw<Problem | null>(null)
  loaded = $state(false)
  #refreshing: Promise<void> | null = null
  #again = false
  /** Up to which change the list is known; null: it was not read yet. */
  #revision: number | null = null
  /** Events heard while a run's earlier ones are on their way. */
  #late: { run: number; heard: RunEvent[] } | null = null

  async open(): Promise<void> {
    listen((event) => this.#hear(event))
    await this.refresh()
    for (const run of this.running) await this.#catchUp(run)
  }

  /** Once more, after the history could not be opened. */
  async reopen(): Promise<void> {
    const { problem } = await ask('openHistory', {})
    if (problem) this.problem = problem
    else await this.refresh()
  }

  /** What a run at work said before this window listened. */
  async #catchUp(run: number): Promise<void> {
    this.#late = { run, heard: [] }
    const { value } = await ask('runEvents', { id: run })
    const { heard } = this.#late
    this.#late = null
    if (!value) return
    const now = performance.now()
    const before = rebuilt(value, this.get(run)?.recipe.evaluations ?? [], now)
    const live = newer(value, heard).reduce((known, { event, step }) => after(known, event, step, now), before)
    this.#set(run, { ...live, ending: this.live.get(run)?.ending ?? null })
  }

  /** Asks for queue and changed runs; calls while one is under way become one more, and wait for it. */
  refresh(): Promise<void> {
    if (this.#refreshing) this.#again = true
    this.#refreshing ??= this.#ask().finally(() => (this.#refreshing = null))
    return this.#refreshing
  }

  async #ask(): Promise<void> {
    do {
      this.#again = false
      const [runs, queue] = await Promise.all([ask('runList', { since: this.#revision }), ask('queue', {})])
      this.problem = runs.problem ?? queue.problem
      if (runs.value) this.#take(runs.value)
      if (queue.value) {
        this.running = queue.value.running
        // A run that has just begun stands in the queue until its worker does.
        const { running, waiting, waits } = queue.value
        this.held = new Map(waits.map(({ run, message }) => [run, message]))
        this.waiting = waiting.filter(({ id }) => !running.includes(id))
      }
    } while (this.#again)
    this.loaded = true
  }

  #take(list: RunList): void {
    this.#revision = list.revision
    const nothing = list.gone?.length === 0 && list.heads === '[]'
    if (!nothing) this.list = merged(this.list, list)
    if (list.gone === null) warm(this.list)
  }

  /** Out of the list at once, before the history says so; returns how some of them come back. */
  leave(ids: readonly number[]): (which: readonly number[]) => void {
    const leaving = new Set(ids)
    const gone = this.list.filter(({ id }) => leaving.has(id))
    this.list = this.list.filter(({ id }) => !leaving.has(id))
    return (which) => {
      const back = gone.filter(({ id }) => which.includes(id) && this.get(id) === null)
      if (back.length > 0) this.list = [...this.list, ...back].sort((a, b) => b.id - a.id)
    }
  }

  get(id: number | undefined): RunSummary | null {
    return id === undefined ? null : (this.#byId.get(id) ?? null)
  }

  /** The run at work that began first. */
  get current(): number | null {
    return this.running[0] ?? null
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
        if (!this.running.includes(event.run)) this.running = [...this.running, event.run]
        this.held = new Map([...this.held].filter(([run]) => run !== event.run))
        this.#set(event.run, fresh())
        return void this.refresh()
      case 'event': {
        if (this.#late?.run === event.run) this.#late.heard.push(event)
        const live = this.live.get(event.run) ?? fresh()
        this.#set(event.run, after(live, event.event, event.step, performance.now()))
        // From now on the history says that it runs.
        if (event.event.event === 'started') void this.refresh()
        return
      }
      case 'note': {
        if (event.run === null) return
        const live = this.live.get(event.run) ?? fresh()
        return this.#set(event.run, noted(live, event.note))
      }
      case 'waiting':
        this.held = new Map(this.held).set(event.run, event.message)
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

export const runs = new Runs()
