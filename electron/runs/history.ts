// What the history answers: the list of runs, one run with everything about it, measurements that were made by themselves.
import type { Answer, Ending, Request } from '../contract/api.ts'
import { failure } from '../contract/errors.ts'
import type { Model, Note } from '../contract/records.ts'
import { openHistory, type History } from '../history/history.ts'
import { endingOf, refused, type Context } from './context.ts'
import { sweepTrash } from './delete.ts'
import { runOfModel } from './folder.ts'

type Opened = Awaited<ReturnType<typeof openHistory>>
export type HistoryHolder = { data: string; open: () => Promise<Opened>; close: () => Promise<void> }

/** Opened when it is first asked for, and swept of what ended processes left behind. */
export function holdHistory(data: string): HistoryHolder {
  let opened: Promise<Opened> | null = null
  const begin = async () => {
    const history = await openHistory(data)
    if (history.ok) {
      history.value.sweep()
      await sweepTrash(history.value)
    }
    return history
  }
  return {
    data,
    open() {
      if (opened === null) {
        const mine = begin()
        opened = mine
        // What could not be opened is tried anew the next time.
        void mine.then(({ ok }) => {
          if (!ok && opened === mine) opened = null
        })
      }
      return opened
    },
    async close() {
      const history = await opened
      opened = null
      if (history?.ok) history.value.close()
    },
  }
}

export async function withHistory<T>(
  context: Context,
  answer: (history: History) => Promise<Ending<T>>,
): Promise<Ending<T>> {
  const history = await context.history?.()
  if (history === undefined) return refused(failure('history_unavailable', 'There is no history here.').problem)
  return history.ok ? answer(history.value) : refused(history.problem)
}

export const listRuns = (context: Context) =>
  withHistory(context, (history): Promise<Ending<Answer<'runs'>>> => {
    const { runs, metrics, leases } = history
    const found = history.write(() => {
      leases.sweep()
      const measured = metrics.ofRuns()
      return runs.list().map((run) => ({ ...run, metrics: measured.get(run.id) ?? [] }))
    })
    return Promise.resolve(endingOf(found))
  })

export const runList = (context: Context, since: number | null) =>
  withHistory(context, (history): Promise<Ending<Answer<'runList'>>> => {
    const found = history.write(() => {
      history.leases.sweep()
      return history.runList.read(since)
    })
    return Promise.resolve(endingOf(found))
  })

export const renameRun = (context: Context, { id, name }: Request<'renameRun'>) =>
  withHistory(context, (history): Promise<Ending<null>> => {
    const renamed = history.write(() => history.runs.rename(id, name.trim()))
    if (!renamed.ok) return Promise.resolve(refused(renamed.problem))
    if (!renamed.value) return Promise.resolve(refused(failure('run_unknown', `There is no run ${id}.`).problem))
    return Promise.resolve({ kind: 'finished', value: null })
  })

export const tagRuns = (context: Context, { ids, add = [], remove = [] }: Request<'tagRuns'>) =>
  change(context, (history) => {
    for (const id of ids.filter((one) => history.runs.get(one) !== null)) {
      for (const tag of remove) history.tags.remove(id, tag)
      for (const tag of add) history.tags.add(id, tag)
    }
  })

export const noteRun = (context: Context, { id, note }: Request<'noteRun'>) =>
  change(context, (history) => void history.runs.note(id, note))

export const archiveRuns = (context: Context, { ids, archived }: Request<'archiveRuns'>) =>
  change(context, (history) => ids.forEach((id) => history.runs.archive(id, archived)))

/** In one commit. Runs that are gone by now are left out. */
const change = (context: Context, work: (history: History) => void) =>
  withHistory(context, (history): Promise<Ending<null>> => {
    const changed = history.write(() => {
      work(history)
      return null
    })
    return Promise.resolve(endingOf(changed))
  })

/** Calls `changed` when another process has written to the history; returns how to stop. */
export function watchHistory(holder: HistoryHolder, changed: () => void, interval = 1500): () => void {
  let before: number | null = null
  const look = async () => {
    const history = await holder.open()
    const now = history.ok ? history.value.version() : null
    if (before !== null && now !== null && now !== before) changed()
    before = now
  }
  const timer = setInterval(() => void look(), interval).unref()
  return () => clearInterval(timer)
}

export const showRun = (context: Context, id: number) =>
  withHistory(context, (history): Promise<Ending<Answer<'run'>>> => {
    const { runs, metrics, models, layerReports, exports, leases } = history
    const found = history.write(() => {
      leases.sweep()
      const run = runs.get(id)
      return (
        run && {
          ...run,
          model: run.model_id === null ? null : models.get(run.model_id),
          metrics: metrics.ofRun(id),
          layer_reports: layerReports.ofRun(id),
          exports: exports.ofRun(id),
        }
      )
    })
    if (!found.ok) return Promise.resolve(refused(found.problem))
    if (found.value === null) return Promise.resolve(refused(failure('run_unknown', `There is no run ${id}.`).problem))
    return Promise.resolve({ kind: 'finished', value: found.value })
  })

/** A measurement of a run's packed model belongs to the run, any other to the model. */
export async function recordMeasurement(
  context: Context,
  model: Model,
  { text, perplexity, against }: Answer<'evaluate'>,
  run: string | null,
  onNote: ((note: Note) => void) | undefined,
): Promise<void> {
  const opened = await context.history?.()
  if (opened === undefined) return
  const written = opened.ok
    ? opened.value.write(() => {
        const { runs, models, metrics } = opened.value
        const row = run === null ? null : runs.inFolder(run)
        const what = row ? { run: row.id } : { model: models.see(model) }
        metrics.put(what, model.packed ? 'packed' : 'original', text, perplexity)
        // What a run is compared with is the model that it was made from.
        if (row && against && against.model === row.recipe.model) {
          metrics.put(what, 'original', text, against.perplexity)
          metrics.putComparison(row.id, text, perplexity, against.comparison)
        }
      })
    : opened
  if (!written.ok)
    onNote?.({ ...written.problem, message: `${written.problem.message} The measurement is not recorded.` })
}

/** An export of a run's packed model; other models' are not kept. */
export async function recordExport(
  context: Context,
  { model, output, type, ...result }: Omit<Answer<'export'>, 'warnings'>,
  onNote: ((note: Note) => void) | undefined,
): Promise<void> {
  const folder = runOfModel(model)
  const opened = folder === null ? undefined : await context.history?.()
  if (folder === null || opened === undefined) return
  const written = opened.ok
    ? opened.value.write(() => {
        const { runs, exports } = opened.value
        const run = runs.inFolder(folder)
        const { format, bytes, files, verification } = result
        if (run) exports.add({ run_id: run.id, format, type, path: output, bytes, verified: true, files, verification })
      })
    : opened
  if (!written.ok) onNote?.({ ...written.problem, message: `${written.problem.message} The export is not recorded.` })
}
