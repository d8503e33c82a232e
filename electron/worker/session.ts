// A worker that stays: one model, held open, answers one request after another.
import type { Ending } from '../contract/api.ts'
import type { GenerateLine, Jobs, WorkerEvent } from '../contract/worker.ts'
import { closeLine, lost, openLine, type Line, type LineOptions, type Ready } from './line.ts'

export type Generated = Extract<WorkerEvent, { event: 'generated' }>
export type Wish = Omit<Extract<GenerateLine, { command: 'generate' }>, 'command' | 'id'>

export type SessionOptions = LineOptions & { job: Jobs['generate'] }

type Asked = { id: number; hear: (token: number) => void; settle: (ending: Ending<Generated>) => void }

export class Session {
  readonly ready: Ready
  /** Settles when the worker has ended, whatever the reason. */
  readonly ended: Promise<Ending<unknown>>
  #line: Line<GenerateLine>
  #asked: Asked | null = null
  #requests = 0

  private constructor(line: Line<GenerateLine>) {
    this.ready = line.ready
    this.ended = line.ended
    this.#line = line
    line.hear = (event) => this.#hear(event)
    void line.ended.then((ending) => this.#settle(lost(ending)))
  }

  /** The model is open when this has finished. */
  static async open({ job, ...options }: SessionOptions): Promise<Ending<Session>> {
    const opened = await openLine('generate', job, options)
    if (opened.kind !== 'finished') return opened
    return { kind: 'finished', value: new Session(opened.value) }
  }

  /** One at a time: the last one must have settled. `halt` ends it early, and it still finishes. */
  generate(wish: Wish, hear: (token: number) => void, halt?: AbortSignal): Promise<Ending<Generated>> {
    const id = ++this.#requests
    return new Promise((resolve) => {
      const onHalt = () => this.#line.tell({ command: 'halt' })
      const settle = (ending: Ending<Generated>) => {
        halt?.removeEventListener('abort', onHalt)
        resolve(ending)
      }
      this.#asked = { id, hear, settle }
      this.#line.tell({ command: 'generate', id, ...wish })
      halt?.addEventListener('abort', onHalt, { once: true })
      if (halt?.aborted) onHalt()
      // A worker that has gone meanwhile answers nothing.
      void this.ended.then((ending) => this.#settle(lost(ending)))
    })
  }

  /** Lets the worker end by itself, and ends it where it does not. `patience`: milliseconds. */
  close(patience?: number): Promise<void> {
    return closeLine(this.#line, patience)
  }

  #hear(event: WorkerEvent): void {
    const asked = this.#asked
    if (asked === null || !('id' in event) || event.id !== asked.id) return
    if (event.event === 'token') asked.hear(event.token)
    if (event.event === 'generated') this.#settle({ kind: 'finished', value: event })
    if (event.event === 'refused') {
      const { code, message } = event
      this.#settle({ kind: 'failed', problem: { code, message } })
    }
  }

  #settle(ending: Ending<Generated>): void {
    const asked = this.#asked
    this.#asked = null
    asked?.settle(ending)
  }
}
