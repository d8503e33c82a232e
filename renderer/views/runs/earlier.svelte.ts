// The list of runs as it is narrowed: by the filter's line, which a person finds again tomorrow.
import { runFields } from '../../../electron/contract/run-fields.ts'
import { matcher, parseFilter, speaksOfArchived } from '../../../electron/contract/run-filter.ts'
import { showArchived, toggleValue, wantedValues, clearKey } from '../../../electron/contract/run-filter-edit.ts'
import type { RunStatus, RunSummary } from '../../../electron/contract/history.ts'
import { runs } from '../../client/runs.svelte.ts'
import { settings } from '../../client/settings.svelte.ts'

class Earlier {
  #typed = $state<string | null>(null)
  #keeping: ReturnType<typeof setTimeout> | undefined

  /** Every run, newest first. */
  get all(): RunSummary[] {
    return runs.list
  }

  filter = $derived(parseFilter(this.line))
  rows = $derived(this.all.filter(matcher(this.filter.terms, runFields)))
  /** Archived runs that are left out. */
  archived = $derived(
    speaksOfArchived(this.filter.terms) ? 0 : this.all.filter(({ archived_at: at }) => at !== null).length,
  )
  showsArchived = $derived(speaksOfArchived(this.filter.terms))
  /** The statuses that there are, in the order of how many runs have them. */
  statuses = $derived.by(() => {
    const counts = new Map<RunStatus, number>()
    for (const { status } of this.all) counts.set(status, (counts.get(status) ?? 0) + 1)
    return [...counts].sort(([, a], [, b]) => b - a).map(([status, count]) => ({ status, count }))
  })
  narrowed = $derived(this.filter.terms.length > 0 || this.archived > 0)
  status = $derived(wantedValues(this.line, 'status')[0] ?? '')

  get line(): string {
    return this.#typed ?? settings.now.runsFilter
  }

  set line(line: string) {
    this.#typed = line
    clearTimeout(this.#keeping)
    this.#keeping = setTimeout(() => void settings.change({ runsFilter: line }), 500)
  }

  /** One status, or any. */
  only(status: string): void {
    const rest = clearKey(this.line, 'status')
    this.line = status === '' ? rest : toggleValue(rest, 'status', status)
  }

  showArchived(yes: boolean): void {
    this.line = showArchived(this.line, yes)
  }
}

export const earlier = new Earlier()
