// The queue: runs that wait in the history, one at a time on each device; runs on different devices go on beside each other.
// A run that fails, crashes or hangs does not hold up the next. The window holds one; what waits is still there after a restart.
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Answer, Attention, Ending, Request } from '../contract/api.ts'
import { failure, success, type Result } from '../contract/errors.ts'
import { automatic, type Precision } from '../contract/devices.ts'
import { resumableStatuses, type QueueEvent, type RunRow } from '../contract/history.ts'
import { parseRecipe, type Recipe } from '../contract/recipe.ts'
import type { History } from '../history/history.ts'
import { runsFolder } from '../history/place.ts'
import { requestOf } from './queue-request.ts'
import { FoundCandidates, type FindCandidates } from './candidates.ts'
import { turns, type Waited } from './turns.ts'
import type { Holder } from './waiting-words.ts'
import { runName } from '../contract/run-name.ts'

/** `id`: the run's row. */
export type Start = (
  request: Request<'quantize'>,
  attention: Attention,
  id: number,
) => Promise<Ending<Answer<'quantize'>>>

export type QueueOptions = {
  history: History
  start: Start
  /** Without it such a run begins on the processor. */
  candidates?: FindCandidates | undefined
  listener?: (event: QueueEvent) => void
  /** Milliseconds until a device that was busy is looked at again. */
  retry?: number
}

/** `out`: null for a folder among Signum's own data. */
export type QueueRequest = {
  model: string
  recipe: Request<'enqueue'>['recipe']
  out: string | null
  name: string | null
  threads: number
  /** A device, or `auto`; undefined: as `auto`. */
  device?: string | undefined
  precision?: Precision | undefined
}

type Current = { id: number; device: string; stop: AbortController; cancel: AbortController; done: Promise<void> }

export class RunQueue {
  #history: History
  #start: Start
  #listener: (event: QueueEvent) => void
  #retry: number
  /** By device. */
  #current = new Map<string, Current>()
  #candidates: FoundCandidates
  /** By run. */
  #waits: ReadonlyMap<number, string> = new Map()
  #timer: NodeJS.Timeout | undefined
  #open = false

  constructor({ history, start, candidates, listener = () => undefined, retry = 1000 }: QueueOptions) {
    this.#history = history
    this.#candidates = new FoundCandidates(candidates, () => this.#next())
    this.#start = start
    this.#listener = listener
    this.#retry = retry
  }

  /** From now on what waits is begun. */
  open(): void {
    this.#open = true
    this.#next()
  }

  /** Nothing more is begun; resolves when what is at work has ended. Whether it should stop is for the caller to say. */
  async close(): Promise<void> {
    this.#open = false
    clearTimeout(this.#timer)
    await Promise.all([...this.#current.values()].map(({ done }) => done))
  }

  /** The runs at work, in the order of their beginning. */
  get running(): number[] {
    return [...this.#current.values()].map(({ id }) => id)
  }

  /** Why waiting runs do not begin yet. */
  get waits(): { run: number; message: string }[] {
    return [...this.#waits].map(([run, message]) => ({ run, message }))
  }

  #atWork(id: number): Current | undefined {
    return [...this.#current.values()].find((one) => one.id === id)
  }

  /** Waiting runs, the next one first. */
  list(): Result<RunRow[]> {
    const { queue, runs } = this.#history
    return this.#history.read(() => queue.list().flatMap(({ run_id }) => runs.get(run_id) ?? []))
  }

  add(request: QueueRequest): Result<number> {
    const added = this.addAll([request])
    return added.ok ? success(added.value[0]!) : added
  }

  /** One after another, or none of them. */
  addAll(requests: readonly QueueRequest[]): Result<number[]> {
    const recipes: Recipe[] = []
    for (const { recipe } of requests) {
      const parsed = parseRecipe(recipe, 'the recipe')
      if (!parsed.ok) return parsed
      recipes.push(parsed.value)
    }
    return this.#changed(() => {
      const ids: number[] = []
      for (const [index, request] of requests.entries()) {
        const id = this.#insert(request, { ...recipes[index]!, model: path.resolve(request.model) })
        if (!id.ok) return id
        ids.push(id.value)
      }
      return success(ids)
    })
  }

  #insert(
    { out, name, threads, device = automatic, precision }: QueueRequest,
    recipe: Recipe & { model: string },
  ): Result<number> {
    const { runs, queue, data } = this.#history
    const folder = out === null ? null : path.resolve(out)
    const other = folder === null ? null : runs.inFolder(folder)
    if (other) return failure('run_in_use', `${folder} is in use: run ${other.id} is there.`)
    const called = name ?? runName(recipe.model, recipe)
    const id = runs.add({ name: called, recipe, folder, device, precision: precision ?? null })
    if (folder === null) runs.place(id, freeFolder(path.join(runsFolder(data), String(id))))
    queue.append(id, threads)
    return success(id)
  }

  /** Waits before another run then, or last. */
  move(id: number, before: number | null): Result<null> {
    return this.#changed(() => (this.#history.queue.move(id, before) ? success(null) : unknown(id, 'is not waiting')))
  }

  /** A run at work finishes its layer in hand and can be resumed. */
  stop(id: number): Result<null> {
    const current = this.#atWork(id)
    if (current === undefined) return unknown(id, 'is not at work here')
    current.stop.abort()
    return success(null)
  }

  /** A run at work ends within two seconds; one that waits never begins. */
  cancel(id: number): Result<null> {
    const current = this.#atWork(id)
    if (current !== undefined) {
      current.cancel.abort()
      return success(null)
    }
    const { queue, runs } = this.#history
    return this.#changed(() => {
      if (!queue.remove(id)) return unknown(id, 'is not waiting')
      runs.end(id, 'cancelled')
      return success(null)
    })
  }

  /** Those that wait never begin, and then one at work ends; ids that do neither are passed over. */
  cancelAll(ids: readonly number[]): Result<null> {
    const { queue, runs } = this.#history
    const cancelled = this.#changed(() => {
      for (const id of ids) if (!this.#atWork(id) && queue.remove(id)) runs.end(id, 'cancelled')
      return success(null)
    })
    if (cancelled.ok) for (const id of ids) this.#atWork(id)?.cancel.abort()
    return cancelled
  }

  /** To the end of the queue again, to go on where it ended; on `device`, whatever it was on before. */
  resume(id: number, threads = 0, device?: string): Result<null> {
    const { queue, runs, leases } = this.#history
    return this.#changed(() => {
      leases.sweep()
      const run = runs.get(id)
      if (run === null) return unknown(id, 'is not there')
      if (!resumableStatuses.includes(run.status) || leases.ofRun(id)) return failure('run_busy', busy(run))
      if (run.folder === null) return failure('nothing_to_resume', `The files of run ${id} are gone.`)
      runs.queue(id)
      if (device !== undefined) runs.wishDevice(id, device)
      queue.append(id, threads, device !== undefined)
      return success(null)
    })
  }

  #changed<T>(change: () => Result<T>): Result<T> {
    const done = this.#history.decide(change)
    if (done.ok) {
      this.#listener({ kind: 'changed' })
      this.#next()
    }
    return done
  }

  /** Begins every run whose device is free. A run never overtakes another one that waits for the same device. */
  #next(): void {
    clearTimeout(this.#timer)
    if (!this.#open) return
    const { queue, leases, runs } = this.#history
    const found = this.#history.write(() => {
      leases.sweep()
      const waiting = queue.list().flatMap(({ run_id, ...how }) => {
        const run = this.#atWork(run_id) ? null : runs.get(run_id)
        return run === null ? [] : [{ run, how }]
      })
      const busy = new Map(leases.list().flatMap((lease) => (lease.device === null ? [] : [[lease.device, lease]])))
      return { waiting, busy }
    })
    if (!found.ok) {
      this.#listener({ kind: 'note', run: null, note: found.problem })
      return this.#later()
    }
    const { waiting, busy } = found.value
    const others = [...busy.values()].filter(({ run_id }) => !this.#atWork(run_id))
    this.#candidates.underOthers(others.map(({ device, run_id }) => `${device} ${run_id}`).join())
    const holders = new Map<string, Holder>(others.map(({ device, run_id, pid }) => [device!, { run: run_id, pid }]))
    for (const { device, id } of this.#current.values()) holders.set(device, { run: id })
    const { begin, waits } = turns(waiting, (run) => this.#candidates.of(run), holders, this.#waits)
    for (const { run, how, device, why } of begin) this.#begin(run.id, how, device, why)
    this.#tellWaits(waits)
    if (others.length > 0 && waits.size > 0) this.#later()
  }

  #tellWaits(waits: ReadonlyMap<number, string>): void {
    const before = this.#waits
    this.#waits = waits
    for (const [run, message] of waits) {
      if (before.get(run) !== message) this.#listener({ kind: 'waiting', run, message })
    }
  }

  #later(): void {
    this.#timer = setTimeout(() => this.#next(), this.#retry).unref()
  }

  #begin(id: number, how: Waited, device: string, why: string | null): void {
    const [stop, cancel] = [new AbortController(), new AbortController()]
    const signals = { stop: stop.signal, cancel: cancel.signal }
    const done = this.#play(id, { ...how, device, why }, signals).then((ending) => {
      this.#settle(id, ending)
      this.#current.delete(device)
      this.#candidates.forget()
      this.#listener({ kind: 'ended', run: id, ending })
      this.#listener({ kind: 'changed' })
      this.#next()
    })
    this.#current.set(device, { id, device, stop, cancel, done })
    this.#listener({ kind: 'started', run: id })
  }

  async #play(
    id: number,
    on: Waited & { device: string; why: string | null },
    signals: Attention,
  ): Promise<Ending<Answer<'quantize'>>> {
    try {
      const row = this.#history.runs.get(id)
      if (row === null || row.folder === null) return lost(id)
      const request = await requestOf(row, row.folder, on)
      if (!request.ok) return { kind: 'failed', problem: request.problem }
      const attention: Attention = {
        ...signals,
        onEvent: (event, step) => this.#listener({ kind: 'event', run: id, event, step }),
        onNote: (note) => this.#listener({ kind: 'note', run: id, note }),
      }
      return await this.#start(request.value, attention, id)
    } catch (error) {
      const message = `A bug in Signum, please report it: ${String(error)}`
      return { kind: 'failed', problem: failure('internal', message, (error as Error).stack).problem }
    }
  }

  /** A run that was refused before it began is still waiting in the history. */
  #settle(id: number, ending: Ending<Answer<'quantize'>>): void {
    const { runs, queue } = this.#history
    const settled = this.#history.write(() => {
      if (!queue.remove(id)) return
      if (ending.kind === 'failed') runs.end(id, 'failed', ending.problem)
      else if (ending.kind === 'finished') runs.finish(id, ending.value)
      else runs.end(id, 'cancelled')
    })
    if (!settled.ok) this.#listener({ kind: 'note', run: id, note: settled.problem })
  }
}

/** The folder, or another name for it where something is there already: a history that is no more may have used the number. */
export function freeFolder(folder: string): string {
  return existsSync(folder) ? `${folder}-${randomUUID().slice(0, 8)}` : folder
}

const unknown = (id: number, what: string) => failure('run_unknown', `Run ${id} ${what}.`)
const busy = ({ id, status }: RunRow) => `Run ${id} is ${status}: there is nothing to go on with.`
const lost = (id: number): Ending<never> => ({ kind: 'failed', problem: unknown(id, 'is not there').problem })
