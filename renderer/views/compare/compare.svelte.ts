// The runs that are compared: which are shown, in what order, against which, and which were chosen.
import type { ModelCard } from '../../../electron/contract/api.ts'
import { mostOpenModels } from '../../../electron/contract/generation.ts'
import { ask } from '../../client/client.ts'
import { navigation } from '../../client/navigation.svelte.ts'
import { runs } from '../../client/runs.svelte.ts'
import { settings } from '../../client/settings.svelte.ts'
import { prompt } from '../prompt/prompt.svelte.ts'
import { choose, columnsOf, isShown, type Choice, type Column } from './column.ts'
import type { Delta } from './deltas.ts'
import { differingColumns } from './differences.ts'
import { columnDelta } from './numbers.ts'
import { rowOf, type Row } from './row.ts'
import { filterRows, nextSort, sortRows, type Sort } from './sorting.ts'
import { textsOf } from './text.ts'

class Compare {
  #models = $state.raw<ModelCard[]>([])
  /** Mean output errors by run. */
  #errors = $state.raw<ReadonlyMap<number, number>>(new Map())
  typed = $state('')
  unfinished = $state(false)
  onlyDifferences = $state(false)
  onlyChosen = $state(false)
  chosen = $state.raw<ReadonlySet<number>>(new Set())
  /** The row that the keyboard is on and that the chart rings. */
  active = $state<number | null>(null)
  /** The run that the pointer is on, in the table or in a chart. */
  pointed = $state<number | null>(null)

  /** Every run, newest first. */
  every = $derived(runs.list.map((run) => rowOf(run, this.#models, this.#errors)))
  finished = $derived(this.every.filter(({ status }) => status === 'finished'))
  /** Before filter and choice. */
  candidates = $derived(this.unfinished ? this.every : this.finished)
  #found = $derived.by(() => {
    const found = filterRows(this.candidates, this.typed)
    return this.onlyChosen ? found.filter(({ id }) => this.chosen.has(id)) : found
  })
  texts = $derived(textsOf(this.candidates))
  columns = $derived(columnsOf(this.candidates, this.texts))
  rows = $derived(sortRows(this.#found, this.#sortColumn, this.sort.descending))
  /** What is compared: the chosen rows, or all that are shown. */
  compared = $derived.by(() => {
    const chosen = this.rows.filter(({ id }) => this.chosen.has(id))
    return chosen.length >= 2 ? chosen : this.rows
  })
  shown = $derived.by(() => {
    const wanted = this.columns.filter((column) => isShown(column, this.choice))
    if (!this.onlyDifferences) return wanted
    const differing = new Set(differingColumns(wanted, this.compared))
    return wanted.filter((column) => column.id === 'name' || differing.has(column))
  })
  baseline = $derived(this.every.find(({ id }) => id === settings.now.baseline) ?? null)

  get choice(): Choice {
    return settings.now.compare
  }

  get sort(): Sort {
    return settings.now.compare.sort
  }

  get #sortColumn(): Column | undefined {
    return this.columns.find(({ id }) => id === this.sort.column)
  }

  async load(): Promise<void> {
    const [models, errors] = await Promise.all([ask('library', {}), ask('outputErrors', {})])
    if (models.value) this.#models = models.value
    if (errors.value) this.#errors = new Map(errors.value.map(({ run, error }) => [run, error]))
  }

  sortBy(column: Column): void {
    void settings.change({ compare: { ...settings.now.compare, sort: nextSort(this.sort, column) } })
  }

  showColumn(column: Column, show: boolean): void {
    const { shown, hidden } = choose(this.choice, column, show)
    void settings.change({ compare: { shown: [...shown], hidden: [...hidden], sort: this.sort } })
  }

  standardColumns(): void {
    void settings.change({ compare: { shown: [], hidden: [], sort: this.sort } })
  }

  choose(ids: readonly number[], yes: boolean): void {
    const next = new Set(this.chosen)
    for (const id of ids) {
      if (yes) next.add(id)
      else next.delete(id)
    }
    this.chosen = next
    if (next.size === 0) this.onlyChosen = false
  }

  pin(id: number): void {
    void settings.change({ baseline: settings.now.baseline === id ? null : id })
  }

  /** The one beside the other: two chosen runs, or one and the baseline. */
  get pair(): [number, number] | null {
    const chosen = this.finished.map(({ id }) => id).filter((id) => this.chosen.has(id))
    const base = this.baseline?.id
    if (chosen.length === 2 && base === chosen[1]) return [chosen[1]!, chosen[0]!]
    if (chosen.length === 2) return [chosen[0]!, chosen[1]!]
    return chosen.length === 1 && base !== undefined && base !== chosen[0] ? [base, chosen[0]!] : null
  }

  sideBySide(): void {
    const { pair } = this
    if (pair) navigation.show({ run: pair[0], other: pair[1] })
  }

  /** Chosen runs that can answer one prompt side by side. */
  get prompted(): number[] | null {
    const chosen = this.finished.map(({ id }) => id).filter((id) => this.chosen.has(id))
    return chosen.length >= 1 && chosen.length <= mostOpenModels ? chosen : null
  }

  prompt(): void {
    const { prompted } = this
    if (prompted === null) return
    prompt.putRuns(prompted)
    navigation.go('prompt', {})
  }

  open(id: number): void {
    navigation.go('runs', { run: id })
  }

  /** Null for the baseline itself, and where there is nothing to compare. */
  deltaOf(column: Column, row: Row): Delta | null {
    const base = this.baseline
    return base && base.id !== row.id ? columnDelta(column, row, base) : null
  }
}

export const compare = new Compare()
