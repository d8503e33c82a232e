// The one queue of a workbench, made when it is first asked for.
import type { Answer, Ending } from '../contract/api.ts'
import { success, type Result } from '../contract/errors.ts'
import type { QueueEvent } from '../contract/history.ts'
import { endingOf } from './context.ts'
import type { HistoryHolder } from './history.ts'
import type { FindCandidates } from './candidates.ts'
import { RunQueue, type Start } from './queue.ts'

export type QueueHolder = {
  open: () => Promise<Result<RunQueue>>
  use: <T>(work: (queue: RunQueue) => Result<T>) => Promise<Ending<T>>
  close: () => Promise<void>
}

export function holdQueue(
  history: HistoryHolder,
  { start, candidates }: { start: Start; candidates?: FindCandidates | undefined },
  listener: (event: QueueEvent) => void,
): QueueHolder {
  let held: Promise<Result<RunQueue>> | null = null
  const make = async (): Promise<Result<RunQueue>> => {
    const opened = await history.open()
    if (opened.ok) return success(new RunQueue({ history: opened.value, start, candidates, listener }))
    // As the history, it is tried anew the next time.
    held = null
    return opened
  }
  const open = () => (held ??= make())
  return {
    open,
    async use(work) {
      const queue = await open()
      return endingOf(queue.ok ? work(queue.value) : queue)
    },
    async close() {
      const queue = await held
      held = null
      if (queue?.ok) await queue.value.close()
    },
  }
}

export function listQueue(queue: RunQueue): Result<Answer<'queue'>> {
  const waiting = queue.list()
  return waiting.ok ? success({ running: queue.running, waiting: waiting.value, waits: queue.waits }) : waiting
}
