// What a few typed letters mean: pure, so that ten thousand runs can be looked through at every key.
import type { RunSummary } from '../../electron/contract/history.ts'
import type { Command } from '../client/commands.ts'

const mostCommands = 60
const mostRuns = 12

/**
 * How well a text answers what was typed, 0: not at all. Every word typed must begin a word of the text, or stand in it; words that
 * begin the text, and those in their order, count more.
 */
export function score(text: string, query: string): number {
  const where = text.toLowerCase()
  let [total, last] = [1, 0]
  for (const word of query.toLowerCase().split(/\s+/).filter(Boolean)) {
    const at = beginning(where, word)
    const found = at >= 0 ? at : where.indexOf(word)
    if (found < 0) return 0
    total *= (at >= 0 ? 1 : 0.4) * (found === 0 ? 1 : 0.8) * (found >= last ? 1 : 0.9)
    last = found
  }
  return total
}

/** Where a word of `text` begins with this one; -1: nowhere. */
function beginning(text: string, word: string): number {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (at === 0 || !/[\p{L}\p{N}]/u.test(text[at - 1]!)) return at
  }
  return -1
}

/** The best first; among equals, and where nothing was typed, in their order. */
export function found<T>(all: readonly T[], textOf: (one: T) => string, query: string, most: number): T[] {
  if (query.trim() === '') return all.slice(0, most)
  const scored = all.flatMap((one) => {
    const value = score(textOf(one), query)
    return value > 0 ? [{ one, value }] : []
  })
  return scored
    .sort((a, b) => b.value - a.value)
    .slice(0, most)
    .map(({ one }) => one)
}

export type Group = { title: string; commands: Command[] }

/** The commands that answer, under their headings; then the runs, each as a command that shows it. */
export function paletteOf(
  commands: readonly Command[],
  runs: readonly RunSummary[],
  show: (run: RunSummary) => void,
  query: string,
): Group[] {
  const groups = new Map<string, Command[]>()
  for (const command of found(
    commands,
    ({ title, group, words = '' }) => `${title} ${group} ${words}`,
    query,
    mostCommands,
  )) {
    groups.set(command.group, [...(groups.get(command.group) ?? []), command])
  }
  const named = found(runs, ({ name, method, id }) => `${name} ${method} run ${id}`, query, query.trim() ? mostRuns : 5)
  const shown = named.map((run) => ({ id: `run ${run.id}`, title: run.name, group: 'Runs', run: () => show(run) }))
  return [
    ...[...groups].map(([title, list]) => ({ title, commands: list })),
    ...(shown.length > 0 ? [{ title: query.trim() ? 'Runs' : 'Latest runs', commands: shown }] : []),
  ]
}
