// The runs that are compared: which are shown, in what order, against which, and which were chosen.
import type { ModelCard } from '../../../electron/contract/api.ts'
import { mostOpenModels } from '../../../electron/contract/generation.ts'
import type { RunSummary } from '../../../electron/contract/history.ts'
import { parseFilter } from '../../../electron/contract/run-filter.ts'
import type { Settings } from '../../../electron/contract/settings.ts'
import { ask } from '../../client/client.ts'
import { navigation } from '../../client/navigation.svelte.ts'
import { runs } from '../../client/runs.svelte.ts'
import { settings } from '../../client/settings.svelte.ts'
import { prompt } from '../prompt/prompt.svelte.ts'
import { choose, columnsOf, isShown, type Choice, type Column } from './column.ts'
import type { Delta } from './deltas.ts'
import { differingColumns } from './differences.ts'
import { find } from './facets.ts'
import { rowFields } from './fields.ts'
import { groupings, type Grouping } from './grouping.ts'
import { columnDelta } from './numbers.ts'
import { modelLookup, rowOf, type ModelLookup, type Row } from './row.ts'
import { linesOf, RunTable } from './run-table.ts'
import { nextSorts, type Sort } from './sorting.ts'
import { textsOf } from './text.ts'

/** That many are compared in one panel. */
export const mostTogether = 20

class Compare {
  #models: ModelCard[] = []
  #lookup = $state.raw<ModelLookup>(modelLookup([]))
  /** Rows of runs that did not change stay as they are, with what was made of them. */
  #made = new WeakMap<RunSummary, { lookup: ModelLookup; row: Row }>()
  #table = new RunTable()
  #typed = $state<string | null>(null)
  unfinished = $state(false)
  onlyDifferences = $state(false)
  onlyChosen = $state(false)
  chosen = $state.raw<ReadonlySet<number>>(new Set())
  /** The row that the keyboard is on and that the chart rings. */
  active = $state<number | null>(null)
  /** The row from which Shift chooses. */
  #anchor: number | null = null
  /** Groups that are closed. */
  closed = $state.raw<ReadonlySet<string>>(new Set())
  /** What is being written in the table itself. */
  editing = $state.raw<{ id: number; what: 'tags' | 'note' } | null>(null)
  /** The run that the pointer is on, in the table or in a chart. */
  pointed = $state<number | null>(null)
  /** What the charts show: it follows what was found when the rows have been drawn. */
  #charted = $state.raw<readonly Row[] | null>(null)

  /** Every run, newest first. */
  every = $derived(runs.list.map((run) => this.#rowOf(run, this.#lookup)))
  finished = $derived(this.every.filter(({ status }) => status === 'finished'))
  filter = $derived(parseFilter(this.typed))
  #asksStatus = $derived(this.filter.terms.some((term) => term.kind === 'words' && term.key === 'status'))
  /** Before filter and choice. */
  candidates = $derived(this.unfinished || this.#asksStatus ? this.every : this.finished)
  texts = $derived(textsOf(this.candidates))
  /** Perplexities in the filter are on the text that the charts show. */
  #text = $derived(this.texts.find(({ key }) => key === settings.now.charts['text']) ?? this.texts[0])
  #fields = $derived(rowFields(this.#text?.key ?? null))
  found = $derived(find(this.candidates, this.filter.terms, this.#fields))
  #wanted = $derived.by(() => {
    const { rows } = this.found
    return this.onlyChosen ? rows.filter(({ id }) => this.chosen.has(id)) : rows
  })
  #isWanted = $derived(new Set(this.#wanted.map(({ id }) => id)))
  columns = $derived(columnsOf(this.candidates, this.texts))
  /** All candidates in order: what is typed into the filter moves none of them. */
  #ordered = $derived(this.#table.order(this.candidates, this.columns, this.sorts, this.grouping))
  /** What the table draws below the baseline, which has its place at the top. */
  lines = $derived(
    linesOf(this.#ordered, (row) => this.#isWanted.has(row.id) && row.id !== this.baseline?.id, this.closed),
  )
  rows = $derived(this.#ordered.flatMap(({ rows }) => rows.filter(({ id }) => this.#isWanted.has(id))))
  /** What is compared: the chosen rows, or all that are shown. */
  compared = $derived.by(() => {
    const chosen = this.rows.filter(({ id }) => this.chosen.has(id))
    return chosen.length >= 2 ? chosen : this.rows
  })
  #shownIds = $derived.by(() => {
    const wanted = this.columns.filter((column) => isShown(column, this.choice))
    if (!this.onlyDifferences) return new Set(wanted.map(({ id }) => id))
    return new Set(['name', ...differingColumns(wanted, this.compared).map(({ id }) => id)])
  })
  /** The columns that are shown, in their order, with their widths. */
  layout = $derived(this.#table.columns(this.columns, this.#shownIds, this.order, settings.now.compare.widths))
  shown = $derived(this.layout.map(({ column }) => column))
  baseline = $derived(this.every.find(({ id }) => id === settings.now.baseline) ?? null)
  /** The rows of the charts, in the table's order. */
  charted = $derived(this.#charted ?? this.rows)

  /** The filter's line. */
  get typed(): string {
    return this.#typed ?? settings.now.compare.filter
  }

  set typed(line: string) {
    this.#typed = line
    clearTimeout(this.#keeping)
    this.#keeping = setTimeout(() => this.#keep({ filter: line }), 500)
  }
  #keeping: ReturnType<typeof setTimeout> | undefined

  get choice(): Choice {
    return settings.now.compare
  }

  get sorts(): Sort[] {
    return [settings.now.compare.sort, ...settings.now.compare.further]
  }

  get grouping(): Grouping | null {
    return groupings.find((one) => one === settings.now.compare.group) ?? null
  }

  /** The name stays at the edge. */
  get order(): string[] {
    return ['name', ...settings.now.compare.order.filter((id) => id !== 'name')]
  }

  #rowOf(run: RunSummary, lookup: ModelLookup): Row {
    const known = this.#made.get(run)
    if (known?.lookup === lookup) return known.row
    const row = rowOf(run, lookup)
    this.#made.set(run, { lookup, row })
    return row
  }

  #keep(changes: Partial<Settings['compare']>): void {
    void settings.change({ compare: { ...settings.now.compare, ...changes } })
  }

  async load(): Promise<void> {
    const { value } = await ask('library', {})
    if (!value || JSON.stringify(value) === JSON.stringify(this.#models)) return
    this.#models = value
    this.#lookup = modelLookup(value)
  }

  /** The charts catch up with the table. */
  drawCharts(): void {
    this.#charted = this.rows
  }

  /** `more`: after the columns by which rows are in order already. */
  sortBy(column: Column, more = false): void {
    const [sort, ...further] = nextSorts(this.sorts, column, more)
    this.#keep({ sort: sort!, further })
  }

  groupBy(grouping: Grouping | null): void {
    this.closed = new Set()
    this.#keep({ group: grouping })
  }

  toggleGroup(title: string): void {
    const next = new Set(this.closed)
    if (!next.delete(title)) next.add(title)
    this.closed = next
  }

  showColumn(column: Column, show: boolean): void {
    const { shown, hidden } = choose(this.choice, column, show)
    this.#keep({ shown: [...shown], hidden: [...hidden] })
  }

  /** Pixels; null: as wide as usual. */
  resize(id: string, width: number | null): void {
    const others = Object.entries(settings.now.compare.widths).filter(([one]) => one !== id)
    this.#keep({ widths: Object.fromEntries(width === null ? others : [...others, [id, Math.round(width)]]) })
  }

  /** Before or behind another column that is shown; hidden ones keep their places among them. */
  moveColumn(id: string, to: string): void {
    const all = this.#table.columns(this.columns, new Set(this.columns.map((column) => column.id)), this.order, {})
    const ids = all.map(({ column }) => column.id)
    const [from, at] = [ids.indexOf(id), ids.indexOf(to)]
    if (from < 1 || at < 1 || from === at) return
    ids.splice(at, 0, ...ids.splice(from, 1))
    this.#keep({ order: ids })
  }

  /** One place to the left or right among the columns that are shown. */
  stepColumn(id: string, by: -1 | 1): void {
    const ids = this.shown.map((column) => column.id)
    const other = ids[ids.indexOf(id) + by]
    if (other !== undefined) this.moveColumn(id, other)
  }

  get changedColumns(): boolean {
    const { shown, hidden, order, widths } = settings.now.compare
    return shown.length + hidden.length + order.length + Object.keys(widths).length > 0
  }

  standardColumns(): void {
    this.#keep({ shown: [], hidden: [], order: [], widths: {} })
  }

  choose(ids: readonly number[], yes: boolean): void {
    const next = new Set(this.chosen)
    for (const id of ids) {
      if (yes) next.add(id)
      else next.delete(id)
    }
    this.chosen = next
    this.#anchor = yes ? (ids.at(-1) ?? null) : null
    if (next.size === 0) this.onlyChosen = false
  }

  /** The keyboard is on this row: Shift chooses from here. */
  rest(id: number): void {
    this.active = id
    this.#anchor = id
  }

  /** All rows from the one that was chosen last to this one. */
  chooseTo(id: number): void {
    const ids = this.lines.flatMap((line) => (line.kind === 'run' ? line.id : []))
    const [from, to] = [ids.indexOf(this.#anchor ?? this.active ?? id), ids.indexOf(id)]
    if (to < 0) return
    const anchor = this.#anchor ?? this.active ?? id
    const range = from < 0 ? [id] : ids.slice(Math.min(from, to), Math.max(from, to) + 1)
    this.choose(range, true)
    this.#anchor = from < 0 ? id : anchor
  }

  /** In the table itself; the column comes into sight if it is not there. */
  write(id: number, what: 'tags' | 'note'): void {
    const column = this.columns.find((one) => one.id === what)
    if (column && !this.shown.includes(column)) this.showColumn(column, true)
    this.editing = { id, what }
  }

  pin(id: number): void {
    void settings.change({ baseline: settings.now.baseline === id ? null : id })
  }

  /** The rows of the panel: the baseline first, then those chosen in the table's order. */
  get togetherRows(): Row[] {
    const base = this.baseline
    const chosen = this.rows.filter(({ id }) => this.chosen.has(id) && id !== base?.id)
    return (base ? [base, ...chosen] : chosen).slice(0, mostTogether)
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

  /** Where one run loses more than another, or one than its original. */
  get told(): { run: number; other?: number } | null {
    const chosen = this.finished.map(({ id }) => id).filter((id) => this.chosen.has(id))
    if (chosen.length === 1) return { run: chosen[0]! }
    if (this.pair === null) return null
    const [one, other] = this.pair
    return one === this.baseline?.id ? { run: other, other: one } : { run: one, other }
  }

  tokens(): void {
    if (this.told) navigation.go('tokens', this.told)
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
