// The one object that the command line and the window hold: every call of contract/api.ts, answered.
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Answer, Attention, Call, Ending, Request } from './contract/api.ts'
import { success, type Result } from './contract/errors.ts'
import type { QueueEvent } from './contract/history.ts'
import { dataFolder } from './history/place.ts'
import { deleteRun } from './runs/delete.ts'
import { doctor } from './runs/doctor.ts'
import { evaluate } from './runs/evaluate.ts'
import { holdHistory, listRuns, showRun, withHistory, type HistoryHolder } from './runs/history.ts'
import { layer } from './runs/layer.ts'
import { inspect, models } from './runs/models.ts'
import { quantize } from './runs/quantize.ts'
import { thisMachine } from './runs/machine.ts'
import type { Context } from './runs/context.ts'
import { RunQueue, type Start } from './runs/queue.ts'
import { findWorker, usualPlaces } from './worker/location.ts'

export type Workbench = {
  /** The folder that holds package.json and resources/. */
  root: string
  version: string
  /** The same workbench with its history in another folder (--data). */
  at: (data: string) => Workbench
  /** The queue of this history, not yet at work; its runs are begun after `open()`. */
  openQueue: (listener: (event: QueueEvent) => void) => Promise<Result<RunQueue>>
  close: () => Promise<void>
} & { [C in Call]: (request: Request<C>, attention?: Attention) => Promise<Ending<Answer<C>>> }

const checkout = path.resolve(import.meta.dirname, '..')

/** `changes`: what tests replace in the surroundings. */
export async function openWorkbench(root = checkout, changes: Partial<Context> = {}): Promise<Workbench> {
  const context: Context = {
    root,
    version: await versionOf(root),
    worker: await findWorker(usualPlaces(root)),
    machine: thisMachine,
    ...changes,
  }
  return assemble(context, holdHistory(dataFolder()))
}

function assemble(surroundings: Context, history: HistoryHolder): Workbench {
  const context: Context = { history: history.open, ...surroundings }
  const { root, version } = context
  return {
    root,
    version,
    at: (data) => assemble(surroundings, holdHistory(dataFolder(data))),
    async openQueue(listener) {
      const opened = await history.open()
      if (!opened.ok) return opened
      const start: Start = (request, attention, id) => quantize(context, request, attention, id)
      return success(new RunQueue({ history: opened.value, start, listener }))
    },
    close: history.close,
    inspect: (request, attention = {}) => inspect(context, request, attention),
    models: (request, attention = {}) => models(context, request, attention),
    quantize: (request, attention = {}) => quantize(context, request, attention),
    layer: (request, attention = {}) => layer(context, request, attention),
    evaluate: (request, attention = {}) => evaluate(context, request, attention),
    runs: () => listRuns(context),
    run: ({ id }) => showRun(context, id),
    deleteRun: ({ id }) => withHistory(context, (opened) => deleteRun(opened, id)),
    doctor: (_request, attention = {}) => doctor(context, attention),
  }
}

async function versionOf(root: string): Promise<string> {
  const text = await readFile(path.join(root, 'package.json'), 'utf8').catch(() => '{}')
  const { version } = JSON.parse(text) as { version?: unknown }
  return typeof version === 'string' ? version : 'unknown'
}
