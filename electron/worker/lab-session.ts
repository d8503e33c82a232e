// A worker that holds one model for the layer lab: a linear on its table, and recipes tried on it one after another.
import type { Ending } from '../contract/api.ts'
import type { Jobs, LabLine, WorkerEvent, WorkerRecipe } from '../contract/worker.ts'
import { closeLine, lost, openLine, type Line, type LineOptions } from './line.ts'

export type LinearOnTable = Extract<WorkerEvent, { event: 'linear' }>
export type Tried = Extract<WorkerEvent, { event: 'trial' }>
type Progress = Extract<WorkerEvent, { event: 'progress' }>
type Wish = { command: 'put'; linear: string } | { command: 'try'; recipe: WorkerRecipe; output: string }

export type LabSessionOptions = LineOptions & { job: Jobs['lab'] }

export class LabSession {
  /** Settles when the worker has ended, whatever the reason. */
  readonly ended: Promise<Ending<unknown>>
  /** Hears how far the linear is that is being put on the table. */
  onProgress: (progress: Progress) => void = () => undefined
  #line: Line<LabLine>
  #waiting = new Map<number, (ending: Ending<WorkerEvent>) => void>()
  #requests = 0

  private constructor(line: Line<LabLine>) {
    this.ended = line.ended
    this.#line = line
    line.hear = (event) => this.#hear(event)
    void line.ended.then((ending) => {
      for (const id of this.#waiting.keys()) this.#settle(id, lost(ending))
    })
  }

  /** The model is open when this has finished; its weights are read as they are needed. */
  static async open({ job, ...options }: LabSessionOptions): Promise<Ending<LabSession>> {
    const opened = await openLine<'lab', LabLine>('lab', job, options)
    return opened.kind === 'finished' ? { kind: 'finished', value: new LabSession(opened.value) } : opened
  }

  /** Requests wait for each other; `cancel` ends one of them, whether it waits or is at work. */
  put(linear: string, cancel?: AbortSignal): Promise<Ending<LinearOnTable>> {
    return this.#ask({ command: 'put', linear }, cancel) as Promise<Ending<LinearOnTable>>
  }

  try(recipe: WorkerRecipe, output: string, cancel?: AbortSignal): Promise<Ending<Tried>> {
    return this.#ask({ command: 'try', recipe, output }, cancel) as Promise<Ending<Tried>>
  }

  /** Lets the worker end by itself, and ends it where it does not. `patience`: milliseconds. */
  close(patience?: number): Promise<void> {
    return closeLine(this.#line, patience)
  }

  #ask(wish: Wish, cancel?: AbortSignal): Promise<Ending<WorkerEvent>> {
    if (cancel?.aborted) return Promise.resolve({ kind: 'cancelled' })
    const id = ++this.#requests
    return new Promise((resolve) => {
      const onCancel = () => this.#line.tell({ command: 'halt', id })
      this.#waiting.set(id, (ending) => {
        cancel?.removeEventListener('abort', onCancel)
        resolve(ending)
      })
      this.#line.tell({ id, ...wish })
      cancel?.addEventListener('abort', onCancel, { once: true })
      // A worker that has gone meanwhile answers nothing.
      void this.ended.then((ending) => this.#settle(id, lost(ending)))
    })
  }

  #hear(event: WorkerEvent): void {
    if (event.event === 'progress') this.onProgress(event)
    if (!('id' in event) || event.id === null) return
    if (event.event === 'linear' || event.event === 'trial') {
      this.#settle(event.id, { kind: 'finished', value: event })
    }
    if (event.event === 'halted') this.#settle(event.id, { kind: 'cancelled' })
    if (event.event === 'refused') {
      const { code, message } = event
      this.#settle(event.id, { kind: 'failed', problem: { code, message } })
    }
  }

  #settle(id: number, ending: Ending<WorkerEvent>): void {
    const settle = this.#waiting.get(id)
    this.#waiting.delete(id)
    settle?.(ending)
  }
}
