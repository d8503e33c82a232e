// What lies in a run's folder, read for those who look at it later.
import { readFile } from 'node:fs/promises'
import type { Ending } from '../contract/api.ts'
import { failure, success, type Result } from '../contract/errors.ts'
import { runReportSchema, type RunReport } from '../contract/records.ts'
import type { WorkerEvent } from '../contract/worker.ts'
import { parseLine } from '../worker/lines.ts'
import { endingOf, refused, type Context } from './context.ts'
import { runFiles } from './folder.ts'
import { showRun, withHistory } from './history.ts'

const nobodyAsks = failure('run_lost', 'Nobody asks any more.')

/** The folder of a run; a failure when the run or its files are gone. */
export async function runFolder(context: Context, id: number): Promise<Result<string>> {
  const found = await withHistory(context, (history) =>
    Promise.resolve(endingOf(history.read(() => history.runs.get(id)))),
  )
  if (found.kind !== 'finished') return found.kind === 'failed' ? { ok: false, problem: found.problem } : nobodyAsks
  if (found.value === null) return failure('run_unknown', `There is no run ${id}.`)
  const { folder } = found.value
  return folder === null ? failure('run_lost', `The files of run ${id} are gone.`) : success(folder)
}

/** The packed model of a finished run, what it learned beside it, and the model that it was made from. */
export async function packedPlaces(
  context: Context,
  id: number,
): Promise<Result<{ packed: string; diagnostics: string; model: string | null }>> {
  const found = await showRun(context, id)
  if (found.kind !== 'finished') return found.kind === 'failed' ? { ok: false, problem: found.problem } : nobodyAsks
  const { status, folder, recipe, model } = found.value
  if (folder === null) return failure('run_lost', `The files of run ${id} are gone.`)
  if (status !== 'finished')
    return failure('run_unknown', `Run ${id} is not finished: it has no packed model to show yet.`)
  const { packed, diagnostics } = runFiles(folder)
  return success({ packed, diagnostics, model: recipe.model ?? model?.path ?? null })
}

export async function runEvents(context: Context, id: number): Promise<Ending<WorkerEvent[]>> {
  const folder = await runFolder(context, id)
  if (!folder.ok) return refused(folder.problem)
  // A run that has not begun has said nothing.
  const text = await readFile(runFiles(folder.value).events, 'utf8').catch(() => '')
  return { kind: 'finished', value: thinned(text) }
}

/** Without heartbeats; of progress only the last line of each phase of each worker. */
export function thinned(lines: string): WorkerEvent[] {
  const kept: WorkerEvent[] = []
  let progress = new Map<string, number>()
  for (const line of lines.split('\n')) {
    const parsed = parseLine(line)
    if (parsed === null || !('event' in parsed)) continue
    const { event } = parsed
    if (event.event === 'heartbeat') continue
    if (event.event === 'started') progress = new Map()
    if (event.event === 'progress') {
      const before = progress.get(event.phase)
      if (before !== undefined) {
        kept[before] = event
        continue
      }
      progress.set(event.phase, kept.length)
    }
    kept.push(event)
  }
  return kept
}

export async function report(context: Context, id: number): Promise<Ending<RunReport>> {
  const folder = await runFolder(context, id)
  if (!folder.ok) return refused(folder.problem)
  const { report: file } = runFiles(folder.value)
  try {
    return { kind: 'finished', value: runReportSchema.parse(JSON.parse(await readFile(file, 'utf8'))) }
  } catch (error) {
    return refused(
      failure('run_lost', `Run ${id} has no report: it is not finished, or ${file} is broken.`, String(error)).problem,
    )
  }
}
