// What every call needs to know about its surroundings; tests give other ones.
import type { Attention, Step } from '../contract/api.ts'
import { noCudaWorker, processor } from '../contract/devices.ts'
import { failure, type Problem, type Result } from '../contract/errors.ts'
import type { Ending } from '../contract/api.ts'
import type { WorkerDevice, Jobs, WorkerCommand, WorkerResult } from '../contract/worker.ts'
import type { History } from '../history/history.ts'
import { runWorker, type WorkerOptions } from '../worker/process.ts'

export type Context = {
  /** The folder that holds package.json, resources/ and build/. */
  root: string
  version: string
  worker: Result<string>
  /** The worker for cards; undefined: there is to be none. */
  cuda?: Result<string>
  machine: Machine
  /** Milliseconds; tests wait less. */
  silence?: number
  /** Where runs and measurements are recorded; without it nothing is, and nobody waits for a device. */
  history?: () => Promise<Result<History>>
  /** Milliseconds between two looks at a device that is busy. */
  retry?: number
}

export type Machine = {
  availableMemory: () => Promise<number>
  freeDisk: (folder: string) => Promise<number>
}

type Extra<C extends WorkerCommand> = Pick<WorkerOptions<C>, 'jobFile' | 'onEvent'> & { program?: Result<string> }

/** Which worker computes on a device. */
export function workerFor(context: Context, device: string | undefined): Result<string> {
  return device === undefined || device === processor ? context.worker : (context.cuda ?? noCard)
}

const noCard = failure('worker_missing', noCudaWorker)

/** Runs a worker for a step of a call: that of the job's device. The caller hears every event. */
export function work<C extends WorkerCommand>(
  context: Context,
  command: C,
  job: Jobs[C],
  attention: Attention,
  step: Step | null,
  { program: named, ...extra }: Extra<C> = {},
): Promise<Ending<WorkerResult<C>>> {
  const program = named ?? workerFor(context, (job as WorkerDevice).device)
  if (!program.ok) return Promise.resolve(refused(program.problem))
  return runWorker<C>({
    program: program.value,
    command,
    job,
    stop: attention.stop,
    cancel: attention.cancel,
    ...(attention.onNote ? { onNote: attention.onNote } : {}),
    ...(context.silence === undefined ? {} : { silence: context.silence }),
    ...extra,
    onEvent: (event, line) => {
      extra.onEvent?.(event, line)
      if (step !== null) attention.onEvent?.(event, step)
      // After the event: who has both knows the note again (renderer/client/live.ts).
      if (event.event === 'warning') attention.onNote?.({ code: event.code, message: event.message })
    },
  })
}

/** For work without a layer to finish: a stop ends it like a cancel. */
export function stoppedAtOnce(attention: Attention): Attention {
  const signals = [attention.stop, attention.cancel].filter((signal) => signal !== undefined)
  return { ...attention, stop: undefined, cancel: AbortSignal.any(signals) }
}

export const refused = (problem: Problem): { kind: 'failed'; problem: Problem } => ({ kind: 'failed', problem })
export const endingOf = <T>(result: Result<T>): Ending<T> =>
  result.ok ? { kind: 'finished', value: result.value } : refused(result.problem)
export const refuse = (...why: Parameters<typeof failure>) => refused(failure(...why).problem)
