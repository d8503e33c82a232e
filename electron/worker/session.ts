// A worker that stays: one model, held open, answers one request after another.
import type { Ending } from '../contract/api.ts'
import { failure } from '../contract/errors.ts'
import type { GenerateLine, Jobs, WorkerEvent } from '../contract/worker.ts'
import { runWorker, type WorkerOptions } from './process.ts'

export type Ready = Extract<WorkerEvent, { event: 'ready' }>
export type Generated = Extract<WorkerEvent, { event: 'generated' }>
export type Wish = Omit<Extract<GenerateLine, { command: 'generate' }>, 'command' | 'id'>

export type SessionOptions = Pick<WorkerOptions<'generate'>, 'program' | 'onNote' | 'silence' | 'patience'> & {
  job: Jobs['generate']
  /** Gives up opening the model; an open session is closed by `close`. */
  cancel?: AbortSignal | undefined
}

type Asked = { id: number; hear: (token: number) => void; settle: (ending: Ending<Generated>) => void }

export class Session {
  readonly ready: Ready
  /** Settles when the worker has ended, whatever the reason. */
  readonly ended: Promise<Ending<unknown>>
  #tell: (line: GenerateLine) => void
  #cancel: () => void
  #asked: Asked | null = null
  #requests = 0

  private constructor(ready: Ready, ended: Promise<Ending<unknown>>, line: Line) {
    this.ready = ready
    this.ended = ended
    this.#tell = line.tell
    this.#cancel = line.cancel
    line.hear = (event) => this.#hear(event)
    void ended.then((ending) => this.#settle(lost(ending)))
  }

  /** The model is open when this has finished. */
  static async open({ cancel, ...options }: SessionOptions): Promise<Ending<Session>> {
    if (cancel?.aborted) return { kind: 'cancelled' }
    const end = new AbortController()
    const line: Line = { tell: () => undefined, hear: () => undefined, cancel: () => end.abort() }
    let ended: Promise<Ending<unknown>> | null = null
    const ready = new Promise<Ready | Ending<unknown>>((resolve) => {
      ended = runWorker<'generate'>({
        ...options,
        command: 'generate',
        cancel: end.signal,
        onStart: (tell) => (line.tell = tell),
        onEvent: (event) => {
          if (event.event === 'ready') resolve(event)
          else line.hear(event)
        },
      })
      void ended.then(resolve)
    })
    cancel?.addEventListener('abort', line.cancel, { once: true })
    const opened = await ready
    cancel?.removeEventListener('abort', line.cancel)
    if ('kind' in opened) return lost(opened)
    return { kind: 'finished', value: new Session(opened, ended!, line) }
  }

  /** One at a time: the last one must have settled. `halt` ends it early, and it still finishes. */
  generate(wish: Wish, hear: (token: number) => void, halt?: AbortSignal): Promise<Ending<Generated>> {
    const id = ++this.#requests
    return new Promise((resolve) => {
      const onHalt = () => this.#tell({ command: 'halt' })
      const settle = (ending: Ending<Generated>) => {
        halt?.removeEventListener('abort', onHalt)
        resolve(ending)
      }
      this.#asked = { id, hear, settle }
      this.#tell({ command: 'generate', id, ...wish })
      halt?.addEventListener('abort', onHalt, { once: true })
      if (halt?.aborted) onHalt()
      // A worker that has gone meanwhile answers nothing.
      void this.ended.then((ending) => this.#settle(lost(ending)))
    })
  }

  /** Lets the worker end by itself, and ends it where it does not. `patience`: milliseconds. */
  async close(patience = 2000): Promise<void> {
    this.#tell({ command: 'stop' })
    const timer = setTimeout(this.#cancel, patience)
    await this.ended
    clearTimeout(timer)
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

/** What the session says to the worker and hears from it; made before the session is. */
type Line = { tell: (line: GenerateLine) => void; hear: (event: WorkerEvent) => void; cancel: () => void }

/** For whoever still waited for something: a session that has ended as it should has not answered either. */
function lost(ending: Ending<unknown>): Exclude<Ending<never>, { kind: 'finished' }> {
  if (ending.kind !== 'finished') return ending
  return { kind: 'failed', problem: failure('worker_crashed', 'The worker ended before it had answered.').problem }
}
