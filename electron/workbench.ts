// The one object that the command line and the window hold: every call of contract/api.ts, answered.
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Answer, Attention, Call, Ending, Request } from './contract/api.ts'
import { isCard } from './contract/devices.ts'
import { success, type Result } from './contract/errors.ts'
import { recipeSchema } from './contract/recipe.ts'
import type { QueueEvent, RunRow } from './contract/history.ts'
import { labPlaceSchema } from './contract/lab.ts'
import { exportModel } from './exports/export.ts'
import { openTexts } from './generate/texts.ts'
import { importRun } from './exports/import.ts'
import { dataFolder } from './history/place.ts'
import { openLab } from './lab/lab.ts'
import { openTokenLosses } from './losses/token-losses.ts'
import { deleteRun } from './runs/delete.ts'
import { deleteLater, emptyTrashInTime, undoDelete } from './runs/delete-later.ts'
import { caches, emptyCache } from './runs/caches.ts'
import { cards, forgetCards } from './runs/cards.ts'
import { doctor } from './runs/doctor.ts'
import { evaluate } from './runs/evaluate.ts'
import { curves, forecast, forecasts } from './runs/forecast.ts'
import { readiness } from './runs/readiness.ts'
import {
  archiveRuns,
  holdHistory,
  listRuns,
  noteRun,
  renameRun,
  runList,
  showRun,
  tagRuns,
  watchHistory,
  withHistory,
  type HistoryHolder,
} from './runs/history.ts'
import { layer } from './runs/layer.ts'
import { inspect, models } from './runs/models.ts'
import { gains } from './runs/gains.ts'
import { candidatesOf, placement } from './runs/placement.ts'
import { plan } from './runs/plan.ts'
import { quantize } from './runs/quantize.ts'
import { thisMachine } from './runs/machine.ts'
import { fileBytes, linearBytes } from './packed/breakdown.ts'
import { PackedError } from './packed/errors.ts'
import { openPictures, type PictureBook } from './pictures/pictures.ts'
import type { FindRun } from './pictures/open-run.ts'
import { openThreadedPictures } from './pictures/threaded.ts'
import { endingOf, refused, type Context } from './runs/context.ts'
import { addModels, forgetModel, library } from './runs/library.ts'
import { holdQueue, listQueue } from './runs/queue-holder.ts'
import type { Start } from './runs/queue.ts'
import { packedPlaces, report, runEvents, runFolder } from './runs/run-files.ts'
import { runFiles } from './runs/folder.ts'
import { changeSettings, settings } from './runs/settings.ts'
import { readRecipe, saveRecipe } from './runs/recipe-files.ts'
import { sampledText } from './runs/sampled-text.ts'
import { sheet } from './runs/sheet.ts'
import { text, texts as bundledTexts } from './runs/texts.ts'
import { findCudaWorker, findWorker, usualPlaces } from './worker/location.ts'

export { readRecipe, saveRecipe }

export type Workbench = {
  /** The folder that holds package.json and resources/. */
  root: string
  version: string
  /** The folder of the history. */
  data: string
  /** Of the weights of finished runs. */
  pictures: Pick<PictureBook, 'answer'>
  /** The same workbench with its history in another folder (--data). */
  at: (data: string) => Workbench
  /** From now on the queue's runs are begun, and `listener` hears of them and of what other processes write to the history. */
  start: (listener: (event: QueueEvent | { kind: 'history' }) => void) => Promise<Result<null>>
  close: () => Promise<void>
} & { [C in Call]: (request: Request<C>, attention?: Attention) => Promise<Ending<Answer<C>>> }

const checkout = path.resolve(import.meta.dirname, '..')

/** `pictureThread`: the program of a thread for pictures; null: they are made in this one. */
export type Threads = { pictureThread: string | null }

/** `changes`: what tests replace in the surroundings. */
export async function openWorkbench(
  root = checkout,
  changes: Partial<Context> = {},
  threads: Threads = { pictureThread: null },
): Promise<Workbench> {
  const context: Context = {
    root,
    version: await versionOf(root),
    worker: await findWorker(usualPlaces(root)),
    cuda: await findCudaWorker(usualPlaces(root)),
    machine: thisMachine,
    ...changes,
  }
  return assemble(context, holdHistory(dataFolder()), threads)
}

function assemble(surroundings: Context, history: HistoryHolder, threads: Threads): Workbench {
  const context: Context = { history: history.open, ...surroundings }
  const { root, version } = context
  const listeners = new Set<(event: QueueEvent | { kind: 'history' }) => void>()
  /** What this process writes itself, its own watch does not see. */
  const ownChange = { kind: 'history' } as const
  const tell = (event: QueueEvent | { kind: 'history' }) => listeners.forEach((listener) => listener(event))
  const told = async <T>(work: Promise<T>): Promise<T> => {
    const ended = await work
    tell(ownChange)
    return ended
  }
  const start: Start = async (request, attention, id) => {
    await lab.makeRoom()
    if (request.device !== undefined && isCard(request.device)) await makeRoomOnCards()
    return quantize(context, request, attention, id)
  }
  /** Models that wait on a card for another prompt leave it to runs. */
  const makeRoomOnCards = async () => {
    if (await texts.leaveCards()) forgetCards(context)
  }
  const candidatesFor = async (run: RunRow) => {
    await makeRoomOnCards()
    return candidatesOf(context, run)
  }
  const candidates = context.cuda?.ok ? candidatesFor : undefined
  const queue = holdQueue(history, { start, candidates }, tell)
  const findRun: FindRun = (owner) =>
    typeof owner === 'number' ? packedPlaces(context, owner) : Promise.resolve(lab.places(owner))
  const { pictureThread: thread } = threads
  const pictures = thread === null ? openPictures(findRun) : openThreadedPictures(thread, findRun)
  const lab = openLab(context, {
    pictures,
    async busy() {
      const opened = await queue.open()
      return opened.ok && opened.value.running.length > 0
    },
  })
  const texts = openTexts(context)
  const losses = openTokenLosses(context)
  let unwatch: (() => void) | null = null
  let leaveTrash: (() => void) | null = null
  return {
    root,
    version,
    data: history.data,
    pictures,
    at: (data) => assemble(surroundings, holdHistory(dataFolder(data)), threads),
    async start(listener) {
      listeners.add(listener)
      const opened = await queue.open()
      if (!opened.ok) return opened
      opened.value.open()
      unwatch ??= watchHistory(history, () => tell({ kind: 'history' }))
      leaveTrash ??= emptyTrashInTime(history.open)
      return success(null)
    },
    async close() {
      unwatch?.()
      leaveTrash?.()
      await lab.close()
      await Promise.all([pictures.close(), texts.close()])
      await queue.close()
      await history.close()
    },
    inspect: (request, attention = {}) => inspect(context, request, attention),
    models: (request, attention = {}) => models(context, request, attention),
    quantize: (request, attention = {}) => quantize(context, request, attention),
    layer: (request, attention = {}) => layer(context, request, attention),
    evaluate: (request, attention = {}) => evaluate(context, request, attention),
    export: (request, attention = {}) => exportModel(context, request, attention),
    generate: (request, attention = {}) => texts.write(request, attention),
    async import(request, attention = {}) {
      const imported = await importRun(context, request, attention)
      tell(ownChange)
      return imported
    },
    runs: () => listRuns(context),
    runList: ({ since }) => runList(context, since),
    run: ({ id }) => showRun(context, id),
    async deleteRun({ id }) {
      await pictures.forget(id)
      const folder = await runFolder(context, id)
      if (folder.ok) await texts.forget(folder.value)
      const deleted = await withHistory(context, (opened) => deleteRun(opened, id))
      tell(ownChange)
      return deleted
    },
    async deleteRuns({ ids }) {
      await Promise.all(ids.map((id) => pictures.forget(id)))
      for (const id of ids) {
        const folder = await runFolder(context, id)
        if (folder.ok) await texts.forget(folder.value)
      }
      return told(withHistory(context, (opened) => deleteLater(opened, ids)))
    },
    undoDelete: ({ ids }) => told(withHistory(context, (opened) => undoDelete(opened, ids))),
    tagRuns: (request) => told(tagRuns(context, request)),
    noteRun: (request) => told(noteRun(context, request)),
    archiveRuns: (request) => told(archiveRuns(context, request)),
    async renameRun(request) {
      const renamed = await renameRun(context, request)
      tell(ownChange)
      return renamed
    },
    runEvents: ({ id }) => runEvents(context, id),
    report: ({ id }) => report(context, id),
    bytes: ({ id }) => counted(context, id, fileBytes),
    linearBytes: ({ id }) => counted(context, id, linearBytes),
    sheet: (request) => sheet(context, request),
    tokenLosses: (request) => losses.read(request),
    runPictures: async ({ id }) => endingOf(await pictures.list(id)),
    pictureScale: async ({ id, linear }) => endingOf(await pictures.scale(id, linear)),
    pictureEdges: async ({ id, linear }) => endingOf(await pictures.edges(id, linear)),
    pictureDifference: async ({ id, other, linear }) => endingOf(await pictures.difference(id, other, linear)),
    library: (_request, attention = {}) => library(context, attention),
    addModels: (request, attention = {}) => addModels(context, request, attention),
    forgetModel: (request) => forgetModel(context, request),
    texts: () => bundledTexts(context),
    text: ({ source }) => text(root, source),
    sampledText: (request, attention = {}) => sampledText(context, request, attention),
    curves: (request, attention = {}) => curves(context, request, attention),
    plan: (request, attention = {}) => plan(context, request, attention),
    gains: (request, attention = {}) => gains(context, request, attention),
    forecast: (request, attention = {}) => forecast(context, request, attention),
    forecasts: (request, attention = {}) => forecasts(context, request, attention),
    cards: () => cards(context),
    async placement(request, attention = {}) {
      await makeRoomOnCards()
      return placement(context, request, attention)
    },
    async preflight(request, attention = {}) {
      await makeRoomOnCards()
      return readiness(context, request, attention)
    },
    readRecipe: async ({ file }) => endingOf(await readRecipe(file)),
    saveRecipe: async ({ file, recipe }) => endingOf(await saveRecipe(file, recipeSchema.parse(recipe))),
    labOpen: (place, attention = {}) => lab.open(labPlaceSchema.parse(place), attention),
    labTry: (request, attention = {}) => lab.try(request, attention),
    async labClose() {
      await lab.close()
      return { kind: 'finished', value: null }
    },
    queue: () => queue.use((opened) => listQueue(opened)),
    enqueue: ({ threads = 0, ...request }) => queue.use((opened) => opened.add({ ...request, threads, out: null })),
    enqueueAll: ({ runs, threads = 0, ...shared }) =>
      queue.use((opened) => opened.addAll(runs.map((one) => ({ ...one, ...shared, threads, out: null })))),
    moveRun: ({ id, before }) => queue.use((opened) => opened.move(id, before)),
    stopRun: ({ id }) => queue.use((opened) => opened.stop(id)),
    cancelRun: ({ id }) => queue.use((opened) => opened.cancel(id)),
    cancelRuns: ({ ids }) => queue.use((opened) => opened.cancelAll(ids)),
    resumeRun: ({ id, threads, device }) => queue.use((opened) => opened.resume(id, threads, device)),
    settings: () => settings(context),
    changeSettings: (changes) => changeSettings(context, changes),
    caches: () => caches(context),
    async emptyCache(request) {
      // The lab's worker would go on writing there.
      if (request.name === 'hessians') await lab.close()
      return emptyCache(context, request)
    },
    doctor: (_request, attention = {}) => doctor(context, attention),
  }
}

/** Where the bytes of a run's packed files go. */
async function counted<T>(context: Context, id: number, count: (packed: string) => Promise<T>): Promise<Ending<T>> {
  const folder = await runFolder(context, id)
  if (!folder.ok) return refused(folder.problem)
  try {
    return { kind: 'finished', value: await count(runFiles(folder.value).packed) }
  } catch (error) {
    if (!(error instanceof PackedError)) throw error
    return refused({ code: error.code, message: error.message })
  }
}

async function versionOf(root: string): Promise<string> {
  const text = await readFile(path.join(root, 'package.json'), 'utf8').catch(() => '{}')
  const { version } = JSON.parse(text) as { version?: unknown }
  return typeof version === 'string' ? version : 'unknown'
}
