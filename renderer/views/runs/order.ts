// Moving a run within the queue. Pure.

/** The run before which `id` must go to be one place earlier (-1) or later (1); undefined where it cannot. Null: last. */
export function neighbour(waiting: readonly number[], id: number, by: -1 | 1): number | null | undefined {
  const at = waiting.indexOf(id)
  if (at < 0) return undefined
  if (by < 0) return waiting[at - 1]
  return at === waiting.length - 1 ? undefined : (waiting[at + 2] ?? null)
}

/** What is looked at once `id` is deleted: the one below it in the list, else the one above. */
export function afterDeletion(list: readonly number[], id: number): number | undefined {
  const at = list.indexOf(id)
  return list[at + 1] ?? list[at - 1]
}
