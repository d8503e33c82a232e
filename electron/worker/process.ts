// One worker process: started with a job, listened to, stopped or cancelled, and judged by how it ended.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import type { Ending } from '../contract/api.ts'
import { exitCodes, type ErrorCode } from '../contract/errors.ts'
import type { Note } from '../contract/records.ts'
import {
  resultSchemas,
  type Jobs,
  type WorkerCommand,
  type WorkerEvent,
  type WorkerResult,
} from '../contract/worker.ts'
import { gap, parseLine } from './lines.ts'

export type WorkerOptions<C extends WorkerCommand> = {
  program: string
  command: C
  job: Jobs[C]
  /** Where the job file stays; without it a temporary one is made and removed. */
  jobFile?: string
  onEvent?: (event: WorkerEvent, line: string) => void
  onNote?: (note: Note) => void
  /** Given what writes a line to the worker's standard input; lines after its end are lost. */
  onStart?: (tell: (line: object) => void) => void
  stop?: AbortSignal | undefined
  cancel?: AbortSignal | undefined
  /** Milliseconds without a line after which a worker counts as hung; it sends a heartbeat every 2 s. */
  silence?: number
  /** Milliseconds that a cancelled worker has to end by itself. */
  patience?: number
}

const keptOfStderr = 64 * 1024

export async function runWorker<C extends WorkerCommand>(options: WorkerOptions<C>): Promise<Ending<WorkerResult<C>>> {
  if (options.cancel?.aborted) return { kind: 'cancelled' }
  const temporary = options.jobFile === undefined ? await mkdtemp(path.join(tmpdir(), 'signum-')) : null
  const jobFile = options.jobFile ?? path.join(temporary!, 'job.json')
  try {
    await writeFile(jobFile, `${JSON.stringify(options.job, null, 1)}\n`)
    return await converse(options, jobFile)
  } finally {
    if (temporary !== null) await rm(temporary, { recursive: true, force: true })
  }
}

function converse<C extends WorkerCommand>(
  options: WorkerOptions<C>,
  jobFile: string,
): Promise<Ending<WorkerResult<C>>> {
  const { program, command, onEvent, onNote, onStart, stop, cancel, silence = 30_000, patience = 5_000 } = options
  // Its own process group: Ctrl-C in the terminal is for us, and we tell the worker what we make of it.
  const child = spawn(program, [command, '--job', jobFile], { stdio: 'pipe', detached: process.platform !== 'win32' })
  const log = keepTail(child)
  let last: WorkerEvent | null = null
  let expected = 0
  let hung = false
  let cancelling = false
  let killer: NodeJS.Timeout | undefined

  const watch = setTimeout(() => {
    hung = true
    child.kill('SIGKILL')
  }, silence)
  const take = (line: string) => {
    watch.refresh()
    const parsed = parseLine(line)
    if (parsed === null) return
    if ('warning' in parsed) return onNote?.(parsed.warning)
    const { event } = parsed
    const missing = gap(expected, event)
    if (missing) onNote?.(missing)
    expected = event.seq + 1
    if (event.event !== 'heartbeat') last = event
    onEvent?.(event, line)
  }
  const tell = (line: object) => void child.stdin.write(`${JSON.stringify(line)}\n`)
  const onStop = () => tell({ command: 'stop' })
  const onCancel = () => {
    cancelling = true
    child.stdin.end()
    child.kill('SIGTERM')
    killer = setTimeout(() => child.kill('SIGKILL'), patience)
  }

  return new Promise((resolve) => {
    const finish = (ending: Ending<WorkerResult<C>>) => {
      clearTimeout(watch)
      clearTimeout(killer)
      stop?.removeEventListener('abort', onStop)
      cancel?.removeEventListener('abort', onCancel)
      resolve(ending)
    }
    // A worker that has ended cannot be told anything; how it ended is what counts.
    child.stdin.on('error', () => undefined)
    child.on('error', (error) =>
      finish(failed('worker_missing', `The worker ${program} cannot be started.`, String(error))),
    )
    const lines = createInterface({ input: child.stdout, crlfDelay: Infinity })
    lines.on('line', take)
    const allRead = new Promise((done) => lines.once('close', done))
    child.on('close', (code, signal) => {
      void allRead.then(() => finish(judge(command, { last, code, signal, hung, cancelling, silence, log: log() })))
    })
    stop?.addEventListener('abort', onStop, { once: true })
    cancel?.addEventListener('abort', onCancel, { once: true })
    onStart?.(tell)
    if (stop?.aborted) onStop()
    if (cancel?.aborted) onCancel()
  })
}

type End = {
  last: WorkerEvent | null
  code: number | null
  signal: NodeJS.Signals | null
  hung: boolean
  cancelling: boolean
  silence: number
  log: string
}

/** What the last event and the exit code say together; an exit without a last word is a crash. */
function judge<C extends WorkerCommand>(command: C, end: End): Ending<WorkerResult<C>> {
  const { last, code, signal, log } = end
  if (last?.event === 'finished' && code === exitCodes.finished) {
    const result = resultSchemas[command].safeParse(last.result)
    if (result.success) return { kind: 'finished', value: result.data as WorkerResult<C> }
    return failed('worker_crashed', "The worker's result has another form than expected.", result.error.message)
  }
  if (last?.event === 'failed') {
    const { message, detail } = last
    const more = [detail, log].filter(Boolean).join('\n')
    return { kind: 'failed', problem: { code: last.code, message, ...(more ? { detail: more } : {}) } }
  }
  if (last?.event === 'stopped') {
    return { kind: 'stopped', finishedLayers: last.finished_layers, layers: last.layers }
  }
  if (last?.event === 'cancelled' || end.cancelling) return { kind: 'cancelled' }
  if (end.hung) {
    return failed('worker_hung', `The worker gave no sign of life for ${end.silence / 1000} s and was ended.`, log)
  }
  const how = signal === null ? `with code ${code}` : `by ${signal}`
  return failed('worker_crashed', `The worker ended ${how} without saying why.`, log)
}

function failed(
  code: ErrorCode,
  message: string,
  detail: string,
): { kind: 'failed'; problem: { code: string; message: string } } {
  return { kind: 'failed', problem: { code, message, ...(detail === '' ? {} : { detail }) } }
}

/** The last part of what the worker writes for people. */
function keepTail(child: ChildProcess): () => string {
  let tail = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (tail = (tail + text).slice(-keptOfStderr)))
  return () => tail.trim()
}
