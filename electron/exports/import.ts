// A packed folder that was made elsewhere becomes a finished run: its files are copied among Signum's own data, every hash in
// them is checked there, and the history gets a row with what the files tell.
import { randomUUID } from 'node:crypto'
import { renameSync, writeFileSync } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import type { Answer, Attention, Ending, Request } from '../contract/api.ts'
import { failure, success, type Result } from '../contract/errors.ts'
import { processor } from '../contract/devices.ts'
import { runName } from '../contract/run-name.ts'
import type { Recipe } from '../contract/recipe.ts'
import type { Model, RunReport } from '../contract/records.ts'
import type { History } from '../history/history.ts'
import { runsFolder } from '../history/place.ts'
import { PackedError } from '../packed/errors.ts'
import { openPackedModel, type PackedModel } from '../packed/model.ts'
import { refused, stoppedAtOnce, type Context } from '../runs/context.ts'
import { modelFolder, runFiles } from '../runs/folder.ts'
import { withHistory } from '../runs/history.ts'
import { freeFolder } from '../runs/queue.ts'
import { inspect } from '../runs/models.ts'
import { writeJson } from '../runs/written.ts'
import { identityIn, identityOf } from './identity.ts'
import { importedRecipe, importedReport, toldBy, type ToldBy } from './imported-report.ts'
import { bytesOf, packedFiles, takeFiles } from './packed-files.ts'
import { checkFiles, checkTensors } from './packed-hashes.ts'

type Imported = Ending<Answer<'import'>>

/** A packed folder, or a run's folder, whose packed model is meant then. A folder that is a run already is that run. */
export const importRun = (context: Context, request: Request<'import'>, attention: Attention): Promise<Imported> =>
  withHistory(context, async (history): Promise<Imported> => {
    const from = await modelFolder(path.resolve(request.folder))
    const inspected = await inspect(context, { folder: from }, stoppedAtOnce(attention))
    if (inspected.kind !== 'finished') return inspected
    if (!inspected.value.packed) {
      return refused(failure('packed_broken', `${from} is no packed model: it is an original one.`).problem)
    }
    try {
      return await take(context, history, { ...request, folder: from }, inspected.value, attention)
    } catch (error) {
      if (!(error instanceof PackedError)) throw error
      return refused({ code: error.code, message: error.message })
    }
  })

async function take(
  context: Context,
  history: History,
  { folder: from, name, link = false }: Request<'import'>,
  inspected: Model,
  attention: Attention,
): Promise<Imported> {
  const found = await lookAt(from)
  if (!found.ok) return refused(found.problem)
  const known = await knownRun(history, found.value.identity)
  if (known !== null) return { kind: 'finished', value: { id: known, known: true } }
  const names = packedFiles(inspected)
  const runs = runsFolder(history.data)
  await mkdir(runs, { recursive: true })
  await clearAbandoned(runs)
  const [needed, free] = [await bytesOf(from, names), await context.machine.freeDisk(runs)]
  if (!link && needed > free) {
    const message = `A copy of ${from} needs ${needed} bytes in ${runs}, and ${free} are free.`
    return refused(failure('disk_full', message).problem)
  }
  const draft = path.join(runs, `${draftPrefix}${process.pid}-${randomUUID()}`)
  const cancelled = () => attention.cancel?.aborted === true || attention.stop?.aborted === true
  try {
    const { packed } = runFiles(draft)
    const taken = await takeFiles(names, from, packed, link, cancelled)
    if (taken === null) return { kind: 'cancelled' }
    if (!taken.ok) return refused(taken.problem)
    const checked = await checkHashes(packed, found.value.told, cancelled)
    if (checked === null) return { kind: 'cancelled' }
    if (!checked.ok) return refused(checked.problem)
    const settled = await settle(history, draft, { from, name: name ?? null, inspected, ...found.value })
    return settled.ok ? { kind: 'finished', value: { id: settled.value, known: false } } : refused(settled.problem)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

/** What the folder tells of its run, from its headers. */
async function lookAt(folder: string): Promise<Result<{ told: ToldBy; recipe: Recipe; identity: string }>> {
  const model = await openPackedModel(folder)
  try {
    const told = toldBy(model)
    if (!told.ok) return told
    const recipe = importedRecipe(told.value, folder)
    return recipe.ok ? success({ told: told.value, recipe: recipe.value, identity: identityOf(model) }) : recipe
  } finally {
    await model.close()
  }
}

/** A finished run with the same tensors. */
async function knownRun(history: History, identity: string): Promise<number | null> {
  const rows = history.read(() => history.runs.list())
  for (const { id, status, folder } of rows.ok ? rows.value : []) {
    if (status !== 'finished' || folder === null) continue
    if ((await identityIn(runFiles(folder).packed)) === identity) return id
  }
  return null
}

/** Every tensor, and every file that was taken over from the source. Null: cancelled. */
async function checkHashes(folder: string, told: ToldBy, cancelled: () => boolean): Promise<Result<null> | null> {
  const model = await openPackedModel(folder)
  try {
    const tensors = await checkTensors(model, cancelled)
    return tensors?.ok ? await checkFiles(folder, told.source) : tensors
  } finally {
    await model.close()
  }
}

type Draft = { from: string; name: string | null; inspected: Model; told: ToldBy; recipe: Recipe }

/** Row and folder: both or neither. */
async function settle(history: History, draft: string, given: Draft): Promise<Result<number>> {
  const { from, inspected, told, recipe } = given
  const name = given.name ?? runName(path.basename(from) === 'packed' ? path.dirname(from) : from, recipe)
  const report = await reportOf(given, await openPackedModel(runFiles(draft).packed))
  await writeJson(runFiles(draft).recipe, recipe)
  let placed: string | null = null
  const settled = history.write(() => {
    const { runs, layerReports, data } = history
    const id = runs.add({ name, recipe, folder: null, device: processor })
    const folder = freeFolder(path.join(runsFolder(data), String(id)))
    const { packed } = runFiles(folder)
    runs.begin(id, null, inspected.layers, recipe)
    for (const layer of report.layers) layerReports.put(id, layer)
    const own = { ...report, run: folder, packed, model: { ...report.model, path: packed }, program: told.program }
    runs.finish(id, own)
    runs.place(id, folder)
    writeFileSync(runFiles(draft).report, `${JSON.stringify(own, null, 1)}\n`)
    renameSync(draft, folder)
    placed = folder
    return id
  })
  // The commit itself failed: nobody knows of the folder.
  if (!settled.ok && placed !== null) await rm(placed, { recursive: true, force: true })
  return settled
}

async function reportOf(given: Draft, model: PackedModel): Promise<RunReport> {
  try {
    return await importedReport(model, given.inspected, given.told, given.recipe, given.from)
  } finally {
    await model.close()
  }
}

const draftPrefix = '.import-'

/** What ended processes have left. */
async function clearAbandoned(runs: string): Promise<void> {
  for (const name of await readdir(runs)) {
    const pid = name.startsWith(draftPrefix) ? Number.parseInt(name.slice(draftPrefix.length), 10) : Number.NaN
    if (Number.isNaN(pid) || isAlive(pid)) continue
    await rm(path.join(runs, name), { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
