// The line to a worker that stays: opened when it says that it is ready, told and heard, and closed.
import type { Ending } from '../contract/api.ts'
import { failure } from '../contract/errors.ts'
import type { Jobs, WorkerEvent } from '../contract/worker.ts'
import { runWorker, type WorkerOptions } from './process.ts'

export type Ready = Extract<WorkerEvent, { event: 'ready' }>
/** Commands that answer one request after another. */
export type SessionCommand = 'generate' | 'lab'

export type LineOptions = Pick<WorkerOptions<SessionCommand>, 'program' | 'onNote' | 'silence' | 'patience'> & {
  /** Gives up opening; an open line is closed by `closeLine`. */
  cancel?: AbortSignal | undefined
}

export type Line<Said extends object> = {
  readonly ready: Ready
  /** Settles when the worker has ended, whatever the reason. */
  readonly ended: Promise<Ending<unknown>>
  tell: (line: Said | { command: 'stop' }) => void
  cancel: () => void
  /** Hears every event after `ready`; put there by whoever holds the line. */
  hear: (event: WorkerEvent) => void
}

export async function openLine<C extends SessionCommand, Said extends object>(
  command: C,
  job: Jobs[C],
  { cancel, ...options }: LineOptions,
): Promise<Ending<Line<Said>>> {
  if (cancel?.aborted) return { kind: 'cancelled' }
  const end = new AbortController()
  const onCancel = () => end.abort()
  const line: Omit<Line<object>, 'ready' | 'ended'> = {
    tell: () => undefined,
    hear: () => undefined,
    cancel: onCancel,
  }
  let ended: Promise<Ending<unknown>> | null = null
  const ready = new Promise<Ready | Ending<unknown>>((resolve) => {
    ended = runWorker<C>({
      ...options,
      command,
      job,
      cancel: end.signal,
      onStart: (tell) => (line.tell = tell),
      onEvent: (event) => {
        if (event.event === 'ready') resolve(event)
        else line.hear(event)
      },
    })
    void ended.then(resolve)
  })
  cancel?.addEventListener('abort', onCancel, { once: true })
  const opened = await ready
  cancel?.removeEventListener('abort', onCancel)
  if ('kind' in opened) return lost(opened)
  return { kind: 'finished', value: Object.assign(line, { ready: opened, ended: ended! }) }
}

/** Lets the worker end by itself, and ends it where it does not. `patience`: milliseconds. */
export async function closeLine<Said extends object>(line: Line<Said>, patience = 2000): Promise<void> {
  line.tell({ command: 'stop' })
  const timer = setTimeout(line.cancel, patience)
  await line.ended
  clearTimeout(timer)
}

/** For whoever still waited for something: a session that has ended as it should has not answered either. */
export function lost(ending: Ending<unknown>): Exclude<Ending<never>, { kind: 'finished' }> {
  if (ending.kind !== 'finished') return ending
  return { kind: 'failed', problem: failure('worker_crashed', 'The worker ended before it had answered.').problem }
}
