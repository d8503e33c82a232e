// The queue: runs that wait in the history, one at a time on each device; runs on different devices go on beside each other.
// A run that fails, crashes or hangs does not hold up the next. The window holds one; what waits is still there after a restart.
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Answer, Attention, Ending, Request } from '../contract/api.ts'
import { failure, success, type Result } from '../contract/errors.ts'
import { automatic, processor, type Precision } from '../contract/devices.ts'
import { resumableStatuses, type QueueEvent, type RunRow } from '../contract/history.ts'
import { parseRecipe, type Recipe } from '../contract/recipe.ts'
import type { History } from '../history/history.ts'
import { runsFolder } from '../history/place.ts'
import { readFolder } from './folder.ts'
import { runName } from '../contract/run-name.ts'

/** `id`: the run's row. */
export type Start = (
  request: Request<'quantize'>,
  attention: Attention,
  id: number,
) => Promise<Ending<Answer<'quantize'>>>

/** Devices that a run left to Signum could begin on, the best one first. */
export type Candidates = (run: RunRow) => Promise<readonly string[]>

export type QueueOptions = {
  history: History
  start: Start
  /** Without it such a run begins on the processor. */
  candidates?: Candidates | undefined
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
  #candidates: Candidates | undefined
  /** Of runs left to Signum, as they were found last; null while they are looked for. */
  #found = new Map<number, readonly string[] | null>()
  #timer: NodeJS.Timeout | undefined
  #open = false

  constructor({ history, start, candidates, listener = () => undefined, retry = 1000 }: QueueOptions) {
    this.#history = history
    this.#candidates = candidates
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

  /** To the end of the queue again, to go on where it ended. */
  resume(id: number, threads = 0): Result<null> {
    const { queue, runs, leases } = this.#history
    return this.#changed(() => {
      leases.sweep()
      const run = runs.get(id)
      if (run === null) return unknown(id, 'is not there')
      if (!resumableStatuses.includes(run.status) || leases.ofRun(id)) return failure('run_busy', busy(run))
      if (run.folder === null) return failure('nothing_to_resume', `The files of run ${id} are gone.`)
      runs.queue(id)
      queue.append(id, threads)
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
      const waiting = queue.list().flatMap(({ run_id, threads }) => {
        const run = this.#atWork(run_id) ? null : runs.get(run_id)
        return run === null ? [] : [{ run, threads }]
      })
      return { waiting, busy: new Map(leases.list().map((lease) => [lease.device, lease])) }
    })
    if (!found.ok) {
      this.#listener({ kind: 'note', run: null, note: found.problem })
      return this.#later()
    }
    const { waiting, busy } = found.value
    const taken = new Set(this.#current.keys())
    const told = new Set<string>()
    let later = false
    for (const { run, threads } of waiting) {
      const candidates = this.#candidatesOf(run)
      // What comes behind it might take the card that it is about to get.
      if (candidates === null) break
      const free = candidates.find((one) => !taken.has(one) && !busy.has(one))
      const other = candidates.map((one) => busy.get(one)).find((one) => one && !this.#atWork(one.run_id))
      for (const one of free === undefined ? candidates : [free]) taken.add(one)
      if (free !== undefined) this.#begin(run.id, threads, free)
      else if (other && !told.has(other.device!)) {
        told.add(other.device!)
        const message = `Run ${other.run_id} is at work on ${other.device}, in process ${other.pid}.`
        this.#listener({ kind: 'waiting', run: run.id, message })
        later = true
      }
    }
    if (later) this.#later()
  }

  /** Null while they are looked for; the queue goes on when they are found. */
  #candidatesOf(run: RunRow): readonly string[] | null {
    if (run.device !== automatic) return [run.device]
    if (this.#candidates === undefined) return [processor]
    const known = this.#found.get(run.id)
    if (known !== undefined) return known
    this.#found.set(run.id, null)
    void this.#candidates(run)
      .catch(() => [processor])
      .then((found) => {
        this.#found.set(run.id, found)
        this.#next()
      })
    return null
  }

  #later(): void {
    this.#timer = setTimeout(() => this.#next(), this.#retry).unref()
  }

  #begin(id: number, threads: number, device: string): void {
    const [stop, cancel] = [new AbortController(), new AbortController()]
    const done = this.#play(id, threads, device, { stop: stop.signal, cancel: cancel.signal }).then((ending) => {
      this.#settle(id, ending)
      this.#current.delete(device)
      // What is free of a card is another now.
      for (const [run, candidates] of this.#found) if (candidates !== null) this.#found.delete(run)
      this.#listener({ kind: 'ended', run: id, ending })
      this.#listener({ kind: 'changed' })
      this.#next()
    })
    this.#current.set(device, { id, device, stop, cancel, done })
    this.#listener({ kind: 'started', run: id })
  }

  async #play(id: number, threads: number, device: string, signals: Attention): Promise<Ending<Answer<'quantize'>>> {
    try {
      const row = this.#history.runs.get(id)
      if (row === null || row.folder === null) return lost(id)
      const recipe = parseRecipe(row.recipe, 'the recipe')
      if (!recipe.ok) return { kind: 'failed', problem: recipe.problem }
      // Only its own beginning makes a run go on in a folder: what lies in a new run's folder is somebody else's.
      const begun = row.started_at !== null && (await readFolder(row.folder)).kind === 'run'
      const request = {
        model: recipe.value.model ?? null,
        recipe: recipe.value,
        out: row.folder,
        resume: begun,
        threads,
        device,
        ...(row.precision === null ? {} : { precision: row.precision as Precision }),
      }
      const attention: Attention = {
        ...signals,
        onEvent: (event, step) => this.#listener({ kind: 'event', run: id, event, step }),
        onNote: (note) => this.#listener({ kind: 'note', run: id, note }),
      }
      return await this.#start(request, attention, id)
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

/** The number may have been used by a history that is no more. */
/** The folder, or another name for it where something is there already. */
export function freeFolder(folder: string): string {
  return existsSync(folder) ? `${folder}-${randomUUID().slice(0, 8)}` : folder
}

const unknown = (id: number, what: string) => failure('run_unknown', `Run ${id} ${what}.`)
const busy = ({ id, status }: RunRow) => `Run ${id} is ${status}: there is nothing to go on with.`
const lost = (id: number): Ending<never> => ({ kind: 'failed', problem: unknown(id, 'is not there').problem })
