// The controller of a sweep: the grid, what each of its recipes will cost, and their way into the queue.
import type { Budget, Curve } from '../../../electron/contract/curve.ts'
import type { Precision } from '../../../electron/contract/devices.ts'
import type { Problem } from '../../../electron/contract/errors.ts'
import type { Forecast } from '../../../electron/contract/forecast.ts'
import type { MethodId } from '../../../electron/contract/methods.ts'
import { ask as askWindow } from '../../client/client.ts'
import { Later } from '../../client/later.ts'
import { notices } from '../../client/notices.svelte.ts'
import { exampleOf } from './sweep-values.ts'
import { gridOf, parametersOf, wishKey, type Axis, type Base, type Grid, type Item, type Wish } from './sweep-grid.ts'

export type Subject = {
  model: string
  base: Base
  threads: number
  method: MethodId
  device: string
  precision: Precision
}
export type Costs = { forecast: Forecast | null; problem: Problem | null }

const pause = 200
/** Recipes in one question: the first answers come soon, and others are not kept waiting. */
const batch = 16
const nothing: Grid = { items: [], problems: new Map(), count: 0, wanted: [] }

export class Sweep {
  methods = $state.raw<readonly MethodId[]>([])
  axes = $state.raw<readonly Axis[]>([])
  budgets = $state('')
  by = $state<Budget['by']>('linear')
  /** What the names begin with, and the tag that the runs have in common. */
  prefix = $state('sweep')
  grid = $state.raw<Grid>(nothing)
  /** By the item's key. */
  costs = $state.raw<ReadonlyMap<string, Costs>>(new Map())
  /** Keys of items that are not to be run. */
  off = $state.raw<ReadonlySet<string>>(new Set())
  problem = $state.raw<Problem | null>(null)
  queueing = $state(false)
  /** Runs that came of it, since the view was opened first. */
  runs = $state.raw<readonly number[]>([])

  #ask: typeof askWindow
  #subject: Subject | null = null
  #later = new Later()
  #curves = new Map<string, Curve>()
  #known = ''
  #next = 1
  #turn = 0

  constructor(ask: typeof askWindow = askWindow) {
    this.#ask = ask
  }

  /** Items that can be run and are wanted. */
  chosen = $derived.by(() =>
    this.grid.items.filter((item) => this.problemOf(item) === null && !item.waits && !this.off.has(item.key)),
  )
  /** Those whose cost is still to be worked out. */
  open = $derived.by(
    () => this.grid.items.filter(({ key, recipe, waits }) => waits || (recipe && !this.costs.has(key))).length,
  )
  totals = $derived.by(() => {
    let [seconds, bytes] = [0, 0]
    for (const { key } of this.chosen) {
      const forecast = this.costs.get(key)?.forecast
      seconds += Object.values(forecast?.seconds ?? {}).reduce((sum, one) => sum + one, 0)
      bytes += forecast?.expected.file_bytes ?? 0
    }
    const free = [...this.costs.values()].find(({ forecast }) => forecast)?.forecast?.disk.free ?? null
    return { seconds, bytes, free }
  })
  /** What can be varied. */
  parameters = $derived.by(() => parametersOf(this.methods, this.#context))
  #context = $state(2048)

  problemOf({ key, problem }: Item): string | null {
    return problem ?? this.costs.get(key)?.problem?.message ?? null
  }

  /** What the sweep goes out from; called again whenever that changes. */
  look(subject: Subject): void {
    const first = this.#subject === null
    const other = this.#subject?.model !== subject.model
    this.#subject = subject
    this.#context = subject.base.context
    if (other) {
      this.#curves.clear()
      this.#known = ''
    }
    if (first) this.methods = [subject.method]
    if (first && this.axes.length === 0) this.addAxis()
    else this.#changed()
  }

  setMethods(methods: readonly MethodId[]): void {
    this.methods = methods
    this.#changed()
  }

  addAxis(key = this.parameters.find((one) => !this.axes.some((axis) => axis.key === one.key))?.key): void {
    const parameter = this.parameters.find((one) => one.key === key)
    if (!parameter) return
    this.axes = [...this.axes, { id: this.#next++, key: parameter.key, text: exampleOf(parameter) }]
    this.#changed()
  }

  setAxis(id: number, changes: Partial<Omit<Axis, 'id'>>): void {
    const parameter = this.parameters.find(({ key }) => key === changes.key)
    const text = parameter ? { text: exampleOf(parameter) } : {}
    this.axes = this.axes.map((axis) => (axis.id === id ? { ...axis, ...text, ...changes } : axis))
    this.#changed()
  }

  removeAxis(id: number): void {
    this.axes = this.axes.filter((axis) => axis.id !== id)
    this.#changed()
  }

  setBudgets(budgets: string, by: Budget['by'] = this.by): void {
    ;[this.budgets, this.by] = [budgets, by]
    this.#changed()
  }

  choose(keys: readonly string[], on: boolean): void {
    const off = new Set(this.off)
    for (const key of keys)
      if (on) off.delete(key)
      else off.add(key)
    this.off = off
  }

  /** All or none; they stand in the queue in their order. */
  async queue(): Promise<void> {
    const { chosen } = this
    if (!this.#subject || this.queueing || chosen.length === 0) return
    const { model, threads, device, precision } = this.#subject
    this.queueing = true
    const tag = this.prefix.trim()
    const runs = chosen.map(({ recipe, name }) => ({ recipe: recipe!, name: [tag, name].filter(Boolean).join(' ') }))
    const { value: ids, problem } = await this.#ask('enqueueAll', { model, runs, threads, device, precision })
    if (ids !== null && tag !== '') await this.#ask('tagRuns', { ids, add: [tag] })
    this.queueing = false
    this.problem = problem
    if (ids === null) return
    this.runs = [...this.runs, ...ids]
    const said = ids.length === 1 ? 'One run is queued.' : `${ids.length} runs are queued.`
    notices.say(said, { undo: () => this.cancel(ids) })
  }

  async cancel(ids: readonly number[]): Promise<void> {
    const { problem } = await this.#ask('cancelRuns', { ids: [...ids] })
    this.problem = problem
  }

  #changed(): void {
    if (!this.#subject) return
    const { base } = this.#subject
    const { methods, axes, budgets, by } = this
    const unit = by === 'linear' ? 1 : 1e6
    this.grid = gridOf(base, { methods, axes, budgets, by, unit }, this.#curves)
    const known = JSON.stringify([base, this.#subject.threads])
    if (known !== this.#known) {
      // The key of an item says what differs, not what stays.
      this.costs = new Map()
      this.#curves.clear()
      this.#known = known
    }
    const turn = ++this.#turn
    this.#later.ask(
      pause,
      () => this.#workOut(turn),
      () => undefined,
    )
  }

  /** Curves for budgets first, then forecasts, until something changes. */
  async #workOut(turn: number): Promise<void> {
    if (this.grid.wanted.length > 0) {
      const found = await this.#findCurves(this.grid.wanted, turn)
      if (turn !== this.#turn) return
      // Without them there is nothing to say; what went wrong is said.
      return found ? this.#changed() : undefined
    }
    const items = this.grid.items.filter(({ key, recipe }) => recipe && !this.costs.has(key))
    for (let at = 0; at < items.length; at += batch) {
      const some = items.slice(at, at + batch)
      const { model, threads } = this.#subject!
      const { value, problem } = await this.#ask('forecasts', {
        model,
        recipes: some.map((one) => one.recipe!),
        threads,
      })
      if (turn !== this.#turn) return
      this.problem = problem
      if (value === null) return
      const costs = new Map(this.costs)
      for (const [i, { key }] of some.entries()) costs.set(key, value[i]!)
      this.costs = costs
    }
  }

  /** One question has room for one set of parameters of every method. */
  async #findCurves(wanted: readonly Wish[], turn: number): Promise<boolean> {
    const { model, base } = this.#subject!
    const left = [...wanted]
    while (left.length > 0) {
      const fixed = Object.fromEntries(left.toReversed().map((wish) => [wish.method, wish.fixed]))
      const { overrides, embedding_type, head_type } = base.recipe
      const asked = { model, fixed, overrides, embedding_type, head_type, calibration: base.calibration }
      const { value, problem } = await this.#ask('curves', asked)
      if (turn !== this.#turn) return false
      this.problem = problem
      if (value === null) return false
      for (const curve of value) {
        const at = left.findIndex((wish) => wish.method === curve.method)
        const [wish] = at < 0 ? [] : left.splice(at, 1)
        if (wish) this.#curves.set(wishKey(wish), curve)
      }
    }
    return true
  }
}

export const sweep = new Sweep()
