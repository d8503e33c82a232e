// Deleting runs so that it can be undone: they disappear at once, their folders get trash names, and rows and files go when
// the time to undo is over. In every step one commit says where a crash leaves things (docs/HISTORY.md).
import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Answer, Ending } from '../contract/api.ts'
import { failure, type Problem, type Result } from '../contract/errors.ts'
import { undoTime } from '../contract/history.ts'
import type { History } from '../history/history.ts'
import { refused } from './context.ts'
import { bringBack, checkFolder, sweepTrash, thisDisk, type Disk } from './delete.ts'

type Refusal = { id: number; problem: Problem }
type Claim = { id: number; folder: string | null; trash: string | null }
/** Folders renamed at a time: each waits for the disk. */
const atOnce = 8

/** Every run for itself: those that may not be deleted stay, and the answer says why. */
export async function deleteLater(
  history: History,
  ids: readonly number[],
  disk = thisDisk,
): Promise<Ending<Answer<'deleteRuns'>>> {
  const refusals: Refusal[] = []
  const wanted: Claim[] = []
  for (const id of new Set(ids)) {
    const claim = await wish(history, id)
    if (claim.ok) wanted.push(claim.value)
    else refusals.push({ id, problem: claim.problem })
  }
  // From here on nobody goes on with these runs, and what is meant with their folders is written down.
  const claimed = history.write(() => wanted.filter((claim) => take(history, claim, refusals)))
  if (!claimed.ok) return refused(claimed.problem)
  const moved: Claim[] = []
  for (let at = 0; at < claimed.value.length; at += atOnce) {
    const some = claimed.value.slice(at, at + atOnce)
    const problems = await Promise.all(some.map((claim) => move(claim, disk)))
    for (const [index, claim] of some.entries()) {
      const problem = problems[index]
      if (problem) giveUp(history, claim, problem, refusals)
      else moved.push(claim)
    }
  }
  const hidden = history.write(() => moved.map((claim) => hide(history, claim)))
  const deleted: number[] = []
  for (const [index, claim] of moved.entries()) {
    if (hidden.ok && hidden.value[index]) {
      deleted.push(claim.id)
      continue
    }
    const why = hidden.ok ? 'another process took the run' : hidden.problem.message
    const problem = failure('delete_failed', `Run ${claim.id} was not deleted: ${why}`).problem
    if (claim.trash !== null) await disk.rename(claim.trash, claim.folder!).catch(() => undefined)
    giveUp(history, claim, problem, refusals)
  }
  const value = { deleted, refused: refusals, until: history.clock.now() + undoTime }
  return { kind: 'finished', value }
}

async function wish(history: History, id: number): Promise<Result<Claim>> {
  const found = history.read(() => history.runs.get(id))
  if (!found.ok) return found
  const run = found.value
  if (run === null) return failure('run_unknown', `There is no run ${id}.`)
  if (run.status === 'queued' || run.status === 'running') {
    return failure('run_busy', `Run ${id} ${run.status === 'queued' ? 'waits' : 'is at work'}: cancel it first.`)
  }
  const { folder } = run
  if (folder === null || !existsSync(folder)) return { ok: true, value: { id, folder, trash: null } }
  const foreign = await checkFolder(folder)
  const name = `.signum-trash-${id}-${Date.now().toString(36)}`
  return foreign ?? { ok: true, value: { id, folder, trash: path.join(path.dirname(folder), name) } }
}

/** Inside a transaction. */
function take(history: History, { id, folder, trash }: Claim, refusals: Refusal[]): boolean {
  const lease = history.leases.acquire(id, null)
  if (lease.ok && trash !== null) history.trash.add(id, folder!, trash)
  if (!lease.ok) refusals.push({ id, problem: lease.problem })
  return lease.ok
}

async function move({ folder, trash }: Claim, disk: Disk): Promise<Problem | null> {
  if (trash === null) return null
  return disk.rename(folder!, trash).then(
    () => null,
    (error: unknown) => failure('delete_failed', `${folder} cannot be deleted; nothing was.`, String(error)).problem,
  )
}

/** Inside a transaction; false when the lease was lost on the way. */
function hide(history: History, { id }: Claim): boolean {
  if (!history.leases.renew(id)) return false
  history.runs.hide(id)
  history.leases.release(id)
  return true
}

/** The folder stays, or is back; when it is not, the next start brings it back. */
function giveUp(history: History, { id, trash }: Claim, problem: Problem, refusals: Refusal[]): void {
  refusals.push({ id, problem })
  history.write(() => {
    if (trash === null || !existsSync(trash)) history.trash.remove(id)
    history.leases.release(id)
  })
}

/** The runs are back at once; then their folders get their names back. What a crash leaves, the next start completes. */
export async function undoDelete(
  history: History,
  ids: readonly number[],
  disk = thisDisk,
): Promise<Ending<Answer<'undoDelete'>>> {
  const restored: number[] = []
  const refusals: Refusal[] = []
  for (const id of new Set(ids)) {
    const begun = history.decide(() => show(history, id))
    if (!begun.ok) {
      refusals.push({ id, problem: begun.problem })
      continue
    }
    restored.push(id)
    if (begun.value === null) continue
    const { trash, folder } = begun.value
    for (const note of await bringBack(history, id, trash, folder, disk)) refusals.push({ id, problem: note })
  }
  return { kind: 'finished', value: { restored, refused: refusals } }
}

/** Inside a transaction. */
function show(history: History, id: number): Result<{ trash: string; folder: string } | null> {
  if (!history.runs.hidden().some((run) => run.id === id)) {
    return failure('undo_late', `Run ${id} is gone for good: the time to undo its deletion is over.`)
  }
  const files = history.trash.ofRun(id)
  if (files && (existsSync(files.folder) || history.runs.inFolder(files.folder) !== null)) {
    return failure('undo_refused', `Run ${id} cannot come back: something else is at ${files.folder} by now.`)
  }
  // Refused while another process removes it for good.
  const lease = history.leases.acquire(id, null)
  if (!lease.ok) return failure('undo_late', `Run ${id} is just being removed for good.`)
  history.leases.release(id)
  history.runs.unhide(id, files?.folder ?? null)
  return { ok: true, value: files }
}

/** Removes what nobody can bring back any more, now and whenever the time of a deletion is over; returns how to stop. */
export function emptyTrashInTime(open: () => Promise<Result<History>>, disk = thisDisk): () => void {
  let ended = false
  const look = async () => {
    const history = await open()
    if (!history.ok || ended) return
    await sweepTrash(history.value, disk)
  }
  const tick = () => void look().catch(() => undefined)
  const timer = setInterval(tick, undoTime / 8).unref()
  return () => {
    ended = true
    clearInterval(timer)
  }
}
