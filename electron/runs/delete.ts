// Deleting a run: its folder and its rows, or neither. The folder gets a trash name, then the rows go in one commit, then
// the files; whatever a crash leaves behind is undone or completed at the next start.
import { existsSync } from 'node:fs'
import { open, readdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import type { Answer, Ending } from '../contract/api.ts'
import { failure } from '../contract/errors.ts'
import { undoTime } from '../contract/history.ts'
import type { Note } from '../contract/records.ts'
import type { History } from '../history/history.ts'
import { refused } from './context.ts'
import { isOwnFile } from './folder.ts'

/** Tests let it fail. */
export type Disk = {
  rename: (from: string, to: string) => Promise<void>
  remove: (folder: string) => Promise<void>
}
export const thisDisk: Disk = {
  async rename(from, to) {
    await rename(from, to)
    // The rows may go only when a power cut can no longer bring the old name back. Not every system can sync a folder.
    const parent = await open(path.dirname(to)).catch(() => null)
    await parent?.sync().catch(() => undefined)
    await parent?.close()
  },
  remove: (folder) => rm(folder, { recursive: true, force: true }),
}

type Deleted = Ending<Answer<'deleteRun'>>

export async function deleteRun(history: History, id: number, disk = thisDisk): Promise<Deleted> {
  const found = history.read(() => history.runs.get(id))
  if (!found.ok) return refused(found.problem)
  if (found.value === null) return refused(failure('run_unknown', `There is no run ${id}.`).problem)
  const { folder } = found.value
  const there = folder !== null && existsSync(folder)
  const foreign = there ? await checkFolder(folder) : null
  if (foreign) return refused(foreign.problem)
  // From here on nobody goes on with the run, and nobody else deletes it.
  const trash = there ? path.join(path.dirname(folder), `.signum-trash-${id}-${Date.now().toString(36)}`) : null
  const claimed = history.decide(() => {
    const lease = history.leases.acquire(id, null)
    if (lease.ok && trash !== null) history.trash.add(id, folder!, trash)
    return lease
  })
  if (!claimed.ok) return refused(claimed.problem)
  if (trash !== null) {
    const moved = await disk.rename(folder!, trash).then(
      () => null,
      (error: unknown) => failure('delete_failed', `${folder} cannot be deleted; nothing was.`, String(error)),
    )
    if (moved) return giveUp(history, id, moved)
  }
  const gone = history.write(() => {
    if (!history.leases.renew(id)) return false
    return history.runs.remove(id)
  })
  if (!gone.ok || !gone.value) {
    const why = gone.ok ? 'another process took the run' : gone.problem.message
    if (trash !== null) await disk.rename(trash, folder!).catch(() => undefined)
    return giveUp(history, id, failure('delete_failed', `Run ${id} was not deleted: ${why}`), trash)
  }
  const notes = trash === null ? [] : await empty(history, id, trash, disk)
  return { kind: 'finished', value: { id, folder, notes } }
}

export async function checkFolder(
  folder: string,
): Promise<{ ok: false; problem: { code: string; message: string } } | null> {
  const names = await readdir(folder).catch(() => null)
  if (names === null) return failure('delete_refused', `${folder} cannot be read.`)
  const foreign = names.toSorted().find((name) => !isOwnFile(name))
  if (foreign === undefined) return null
  return failure('delete_refused', `${folder} also holds ${foreign}, which Signum did not make: move it away first.`)
}

/** The folder stays, or is back: the intention goes too. When even that fails, the next start does it. */
function giveUp(history: History, id: number, why: ReturnType<typeof failure>, trash: string | null = null): Deleted {
  history.write(() => {
    if (trash === null || !existsSync(trash)) history.trash.remove(id)
    history.leases.release(id)
  })
  return refused(why.problem)
}

async function empty(history: History, id: number, trash: string, disk: Disk): Promise<Note[]> {
  try {
    await disk.remove(trash)
    history.write(() => history.trash.remove(id))
    return []
  } catch (error) {
    const { message } = error as Error
    return [{ code: 'trash_left', message: `${trash} cannot be removed yet (${message}); the next start tries again.` }]
  }
}

/** At the start: deletions that were under way when their process ended are undone, or completed where the rows are gone.
 * Then, and from time to time: deletions that nobody can undo any more are completed. */
export async function sweepTrash(history: History, disk = thisDisk): Promise<Note[]> {
  const notes: Note[] = []
  for (const id of overdue(history)) forget(history, id)
  const left = history.read(() => history.trash.list())
  for (const { run_id: id, folder, trash, state } of left.ok ? left.value : []) {
    if (state === 'gone') notes.push(...(await empty(history, id, trash, disk)))
    if (state === 'there') notes.push(...(await bringBack(history, id, trash, folder, disk)))
  }
  return notes
}

/** Deleted runs whose time to be brought back is over. A deletion in the future says that the clock was set: it is over too. */
function overdue(history: History): number[] {
  const hidden = history.read(() => history.runs.hidden())
  const now = history.clock.now()
  const over = (at: number) => now - at >= undoTime || at > now
  return hidden.ok ? hidden.value.filter(({ deleted_at: at }) => over(at)).map(({ id }) => id) : []
}

/** Its rows go, unless somebody is just bringing it back; the files follow. */
function forget(history: History, id: number): void {
  history.decide(() => {
    const lease = history.leases.acquire(id, null)
    if (lease.ok && history.runs.hidden().some((run) => run.id === id)) history.runs.remove(id)
    else if (lease.ok) history.leases.release(id)
    return lease
  })
}

export async function bringBack(
  history: History,
  id: number,
  trash: string,
  folder: string,
  disk: Disk,
): Promise<Note[]> {
  // Refused while somebody is at it.
  if (!history.decide(() => history.leases.acquire(id, null)).ok) return []
  const taken = existsSync(trash) && existsSync(folder)
  if (existsSync(trash) && !taken) await disk.rename(trash, folder).catch(() => undefined)
  history.write(() => {
    if (!existsSync(trash)) history.trash.remove(id)
    history.leases.release(id)
  })
  if (!existsSync(trash)) return []
  const why = taken ? 'something else is in its place' : 'it cannot be moved back'
  return [{ code: 'trash_left', message: `${trash} belongs to run ${id}, and ${why}.` }]
}
