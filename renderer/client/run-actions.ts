// What is done with runs of a list, one or many: each can be taken back by the notice that says it.
import { ask } from './client.ts'
import { notices } from './notices.svelte.ts'
import { runs } from './runs.svelte.ts'

/** The files of deleted runs are kept longer than this, so an undo that is offered works. */
const undoSeconds = 60

const named = (ids: readonly number[]): string =>
  ids.length === 1 ? (runs.get(ids[0])?.name ?? `run ${ids[0]}`) : `${ids.length} runs`

/** Answers those that were deleted; why others were not is said. */
export async function deleteRuns(ids: readonly number[]): Promise<number[]> {
  const what = named(ids)
  const back = runs.leave(ids)
  const { value, problem } = await ask('deleteRuns', { ids: [...ids] })
  if (value === null) {
    back(ids)
    notices.say(problem.message)
    return []
  }
  back(value.refused.map(({ id }) => id))
  for (const text of sentences(value.refused)) notices.say(text)
  await runs.refresh()
  if (value.deleted.length === 0) return []
  const deleted = value.deleted.length === ids.length ? what : `${value.deleted.length} of ${ids.length} runs`
  notices.say(`Deleted ${deleted}.`, { undo: () => undoDelete(value.deleted), seconds: undoSeconds })
  return value.deleted
}

async function undoDelete(ids: number[]): Promise<void> {
  const { value, problem } = await ask('undoDelete', { ids })
  for (const text of problem ? [problem.message] : sentences(value.refused)) notices.say(text)
  await runs.refresh()
}

/** Each reason once; many runs are often refused for the same one. */
const sentences = (refused: readonly { problem: { message: string } }[]): string[] => [
  ...new Set(refused.slice(0, 3).map(({ problem }) => problem.message)),
]

export async function archiveRuns(ids: readonly number[], archived: boolean): Promise<void> {
  const changed = ids.filter((id) => (runs.get(id)?.archived_at !== null) !== archived)
  if (changed.length === 0 || !(await done('archiveRuns', { ids: changed, archived }))) return
  const undo = async () => void (await done('archiveRuns', { ids: changed, archived: !archived }))
  notices.say(`${archived ? 'Archived' : 'Took back'} ${named(changed)}.`, { undo })
}

/** `tags`: all that the run has from now on. */
export async function setTags(id: number, tags: readonly string[]): Promise<void> {
  const before = runs.get(id)?.tags ?? []
  const add = tags.filter((tag) => !before.includes(tag))
  const remove = before.filter((tag) => !tags.includes(tag))
  if (add.length + remove.length === 0 || !(await done('tagRuns', { ids: [id], add, remove }))) return
  const undo = async () => void (await done('tagRuns', { ids: [id], add: remove, remove: add }))
  if (remove.length > 0) notices.say(`Took ${remove.join(', ')} off ${named([id])}.`, { undo })
}

/** A tag on all of them, or off all of them. */
export async function tagRuns(ids: readonly number[], tag: string, on: boolean): Promise<void> {
  const changed = ids.filter((id) => (runs.get(id)?.tags.includes(tag) ?? false) !== on)
  const request = (yes: boolean) => ({ ids: changed, add: yes ? [tag] : [], remove: yes ? [] : [tag] })
  if (changed.length === 0 || !(await done('tagRuns', request(on)))) return
  const undo = async () => void (await done('tagRuns', request(!on)))
  notices.say(`${on ? 'Tagged' : 'Untagged'} ${named(changed)}: ${tag}.`, { undo })
}

export async function setNote(id: number, note: string): Promise<void> {
  const before = runs.get(id)?.note ?? ''
  if (note === before || !(await done('noteRun', { id, note }))) return
  const undo = async () => void (await done('noteRun', { id, note: before }))
  if (before !== '') notices.say(`Changed the note of ${named([id])}.`, { undo })
}

/** Tags as they are typed: one word each. */
export const tagsOf = (typed: string): string[] => [
  ...new Set(
    typed
      .split(/[\s,"]+/)
      .map((tag) => tag.slice(0, 40))
      .filter(Boolean),
  ),
]

async function done(
  ...[name, request]: Parameters<typeof ask<'archiveRuns' | 'tagRuns' | 'noteRun'>>
): Promise<boolean> {
  const { problem } = await ask(name, request)
  if (problem) notices.say(problem.message)
  await runs.refresh()
  return problem === null
}
