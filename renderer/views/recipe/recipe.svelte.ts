// The controller of "New run": holds the draft, asks what it will cost, and puts it into the queue.
import { processor, type CardList, type Placement } from '../../../electron/contract/devices.ts'
import type { ModelCard, TextCard } from '../../../electron/contract/api.ts'
import { outOf, quantizeLine } from '../../../electron/contract/command-line.ts'
import { pickPoint, type Budget, type Curve } from '../../../electron/contract/curve.ts'
import type { Problem } from '../../../electron/contract/errors.ts'
import type { Forecast, Readiness } from '../../../electron/contract/forecast.ts'
import { resolveParameters, type MethodId } from '../../../electron/contract/methods.ts'
import { checkValue, rangeOf, type ParameterValue } from '../../../electron/contract/parameters.ts'
import { bundledPrefix, parseRecipe, type Calibration, type Recipe } from '../../../electron/contract/recipe.ts'
import { runName } from '../../../electron/contract/run-name.ts'
import { ask as askWindow } from '../../client/client.ts'
import { navigation } from '../../client/navigation.svelte.ts'
import { notices } from '../../client/notices.svelte.ts'
import { settings } from '../../client/settings.svelte.ts'
import * as drafts from './draft.ts'
import type { Draft } from './draft.ts'
import type { HandedOver } from '../../client/handover.ts'
import { Later } from '../../client/later.ts'
import { overridesOf, rowStates, type OverrideRow, type RowState } from './override-rows.ts'

/** Milliseconds after the last change. */
const pauses = { curves: 120, forecast: 80, checks: 250, placement: 120 }
const keptRecipes = 30

export class NewRun {
  /** Null until the first answer. */
  models = $state.raw<ModelCard[] | null>(null)
  problem = $state.raw<Problem | null>(null)
  texts = $state.raw<TextCard[]>([])
  draft = $state.raw<Draft | null>(null)
  /** Which size the slider shows. */
  by = $state<Budget['by']>('linear')
  /** What was typed and cannot be: by parameter, or by another field's name. */
  invalid = $state.raw<Readonly<Record<string, string>>>({})
  /** Counts how often fields were set anew, whatever had been typed into them. */
  renewed = $state(0)
  /** At the methods' usual settings. */
  usual = $state.raw<Curve[]>([])
  /** With what was set by hand. */
  curves = $state.raw<Curve[]>([])
  forecast = $state.raw<Forecast | null>(null)
  forecastProblem = $state.raw<Problem | null>(null)
  /** Null until the first answer. */
  cards = $state.raw<CardList | null>(null)
  /** Where it would compute if it began now. */
  placement = $state.raw<Placement | null>(null)
  placementProblem = $state.raw<Problem | null>(null)
  checks = $state.raw<Readiness[] | null>(null)
  checksProblem = $state.raw<Problem | null>(null)
  /** An answer takes longer than a blink. */
  slow = $state({ forecast: false, checks: false })
  starting = $state(false)
  startProblem = $state.raw<Problem | null>(null)
  /** One recipe, or a grid of them. */
  mode = $state<'one' | 'sweep'>('one')
  /** Which parts of the form are unfolded. */
  folds = $state({
    parameters: true,
    overrides: false,
    tables: false,
    mixed: false,
    calibration: true,
    measured: true,
    run: true,
  })
  textProblem = $state.raw<Problem | null>(null)

  #ask: typeof askWindow
  #later = {
    curves: new Later(),
    forecast: new Later((slow) => (this.slow.forecast = slow)),
    checks: new Later((slow) => (this.slow.checks = slow)),
    placement: new Later(),
  }
  /** What the curves were asked for. */
  #fixed = ''

  constructor(ask: typeof askWindow = askWindow) {
    this.#ask = ask
  }

  card = $derived.by(() => this.models?.find(({ folder }) => folder === this.draft?.folder) ?? null)
  model = $derived(this.card?.model ?? null)
  method = $derived(drafts.methodOf(this.draft?.method ?? 'signum-rc'))
  curve = $derived.by(() => this.curves.find(({ method }) => method === this.method.id))
  preset = $derived.by(() => (this.draft ? drafts.presetOf(this.draft) : null))
  parameters = $derived.by(() => (this.draft ? drafts.parametersOf(this.draft) : {}))
  recipe = $derived.by((): Recipe | null => (this.draft ? drafts.recipeOf(this.draft) : null))
  needsText = $derived.by(() => this.draft !== null && drafts.needsText(this.draft))
  picked = $derived.by(() => (this.draft?.budget && this.curve ? pickPoint(this.curve, this.draft.budget) : null))
  /** Known at once where the draft is on its curve; else when the forecast arrives. */
  sizes = $derived.by(() => (this.draft && drafts.placeOf(this.draft, this.curve)) ?? this.forecast?.expected ?? null)
  /** Where the slider stands. */
  budget = $derived.by(() => (this.draft?.budget?.by === this.by ? this.draft.budget.value : this.sizes?.[this.by]))
  /** Two parameters that do not go together. */
  together = $derived.by((): Problem | null => {
    const given = this.draft?.given[this.method.id] ?? {}
    const resolved = resolveParameters(this.method, given)
    return resolved.ok ? null : resolved.problem
  })
  usualName = $derived.by(() => (this.draft && this.recipe ? this.#named(this.draft, this.parameters) : ''))
  /** With every parameter of the method, as a run gets it; null while something is wrong. */
  full = $derived.by((): Recipe | null =>
    this.recipe === null || this.wrong ? null : { ...this.recipe, parameters: this.parameters },
  )
  line = $derived.by(() => {
    const { draft, full } = this
    if (draft === null || full === null) return null
    const { folder: model, threads, device, precision } = draft
    const name = draft.name.trim() || null
    return quantizeLine({ model, recipe: full, name, threads, device, precision, out: outOf(name ?? this.usualName) })
  })
  /** What is to be said of every line of the overrides. */
  overrideStates = $derived.by((): RowState[] => {
    const names = this.model?.linears.map(({ name }) => name) ?? []
    return rowStates(this.draft?.overrides ?? [], { method: this.method.id, parameters: this.parameters }, names)
  })
  wrong = $derived.by(
    () =>
      Object.keys(this.invalid).length > 0 ||
      this.together !== null ||
      this.overrideStates.some(({ problem }) => problem !== null),
  )
  failing = $derived.by(() => this.checks?.filter(({ ok }) => !ok) ?? [])
  startable = $derived.by(() => !this.wrong && this.model !== null && this.checks !== null && this.failing.length === 0)

  /** `folder`: the model that another view wants quantized. */
  async open(folder: string | undefined): Promise<void> {
    const [models, texts] = await Promise.all([this.#ask('library', {}), this.#ask('texts', {})])
    this.problem = models.problem ?? texts.problem
    if (models.value) this.models = models.value
    void this.#ask('cards', {}).then(({ value }) => (this.cards = value))
    if (texts.value) this.texts = [...texts.value, ...this.texts.filter(isFile)]
    const usable = this.models?.filter(({ model, problem }) => model !== null && problem === null) ?? []
    const wanted = [folder, this.draft?.folder].map((one) => usable.find((card) => card.folder === one))
    const card = wanted.find(Boolean) ?? usable[0]
    if (!card) return
    if (card.folder !== this.draft?.folder) this.choose(card.folder)
    else this.lookAgain()
  }

  choose(folder: string): void {
    const model = this.models?.find((card) => card.folder === folder)?.model
    if (!model) return
    const first = drafts.firstDraft(folder, model, settings.now.threads, settings.now.device)
    const stored = settings.now.recipes[folder]
    const recipe = stored === undefined ? null : parseRecipe(stored, 'the last recipe')
    const draft = recipe?.ok ? drafts.draftOf(recipe.value, first) : drafts.moved(this.draft, first, model)
    this.#forgive()
    this.#fixed = ''
    ;[this.usual, this.curves, this.forecast, this.checks] = [[], [], null, null]
    void this.#ask('curves', { model: folder }).then(({ value }) => {
      if (!value || this.draft?.folder !== folder) return
      this.usual = value
      if (this.curves.length === 0) this.curves = value
      this.#set(this.draft)
    })
    this.#set(draft)
    this.#unfold(drafts.recipeOf(draft))
    void this.#readCards(draft)
  }

  /** Somebody else's run began or ended: time, memory and device may be others now. */
  lookAgain(): void {
    if (this.draft) this.#set(this.draft)
  }

  setMethod(id: MethodId): void {
    if (!this.draft) return
    this.#forgive(this.method.parameters.map(({ key }) => key))
    const draft = { ...this.draft, method: id }
    const curve = this.curves.find(({ method }) => method === id)
    this.#set(draft.budget && curve ? drafts.withBudget(draft, curve, draft.budget).draft : draft)
  }

  setBudget(value: number): void {
    if (!this.draft || !this.curve || !(value > 0)) return
    this.#forgive(this.curve.chooses)
    this.#set(drafts.withBudget(this.draft, this.curve, { by: this.by, value }).draft)
  }

  setBy(by: Budget['by']): void {
    this.by = by
    if (this.draft?.budget && this.sizes) this.setBudget(this.sizes[by])
  }

  /** As typed; null: no number. What cannot be stays out of the draft, and is said at the field. */
  setParameter(key: string, value: ParameterValue | null): void {
    const parameter = this.method.parameters.find((one) => one.key === key)
    if (!this.draft || !parameter) return
    const checked = checkValue(parameter, value ?? '')
    if (!checked.ok) this.invalid = { ...this.invalid, [key]: `Must be ${rangeOf(parameter)}.` }
    else {
      this.invalid = without(this.invalid, [key])
      this.#set(drafts.withParameter(this.draft, this.curve, key, checked.value))
    }
  }

  removeOverride(at: number): void {
    const before = this.draft
    if (!before) return
    const gone = before.overrides[at]
    this.setOverrides(before.overrides.toSpliced(at, 1))
    if (gone?.match) this.#offerBack(`The override for ${gone.match} is removed.`, before)
  }

  setOverrides(overrides: readonly OverrideRow[]): void {
    this.change({ overrides })
  }

  /** A recipe that was made elsewhere; name and threads stay. `from`: what is said of it. */
  use(recipe: Recipe, from = 'the plan'): void {
    const before = this.draft
    if (!before) return
    this.#forgive()
    const draft = drafts.draftOf(recipe, { ...before, budget: null })
    this.#set(draft)
    this.#unfold(recipe)
    void this.#readCards(draft)
    this.#offerBack(`The recipe is that of ${from}.`, before)
  }

  /** Method and parameters that another view has tried; text, measurements and overrides stay. */
  take({ method, parameters, from }: HandedOver): void {
    const before = this.draft
    if (!before) return
    this.#forgive()
    this.#set({ ...before, method, budget: null, given: { ...before.given, [method]: parameters } })
    this.mode = 'one'
    this.#offerBack(`Method and parameters are those of ${from}.`, before)
  }

  setPreset(id: string): void {
    const preset = this.method.presets?.find((one) => one.id === id)
    if (!this.draft || !preset) return
    this.#forgive(Object.keys(preset.parameters))
    this.#set(drafts.withPreset(this.draft, preset))
  }

  resetMethod(): void {
    if (!this.draft) return
    const before = this.draft
    this.#forgive(this.method.parameters.map(({ key }) => key))
    this.#set(drafts.asUsual(before))
    if (Object.keys(before.given[before.method] ?? {}).length > 0) {
      this.#offerBack(`${this.method.title} is as usual again.`, before)
    }
  }

  change(changes: Partial<Draft>): void {
    if (this.draft) this.#set({ ...this.draft, ...changes })
  }

  setCalibration(changes: Partial<Calibration>): void {
    if (this.draft) this.change({ calibration: { ...this.draft.calibration, ...changes } })
  }

  resetParameter(key: string): void {
    const parameter = this.method.parameters.find((one) => one.key === key)
    if (!parameter) return
    this.#forgive([key])
    this.setParameter(key, parameter.default)
  }

  /** A whole number for a field that is no parameter of the method. */
  setNumber(field: string, value: number | null, least: number, most: number, use: (value: number) => void): void {
    if (value !== null && Number.isInteger(value) && value >= least && value <= most) {
      this.invalid = without(this.invalid, [field])
      use(value)
    } else {
      const range = most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`
      this.invalid = { ...this.invalid, [field]: `A whole number ${range}.` }
    }
  }

  /** A text of the person's own; answers its source. */
  async browse(title: string): Promise<string | null> {
    const { value: file, problem } = await this.#ask('chooseText', { title })
    this.textProblem = problem
    return file !== null && (await this.#readCard(file)) ? file : null
  }

  async start(): Promise<void> {
    const { draft, recipe } = this
    if (!draft || !recipe || !this.startable || this.starting) return
    this.starting = true
    const { folder: model, threads, device, precision } = draft
    const name = draft.name.trim() || null
    const { value, problem } = await this.#ask('enqueue', { model, recipe, name, threads, device, precision })
    this.starting = false
    this.startProblem = problem
    if (value === null) return
    const others = Object.entries(settings.now.recipes).filter(([folder]) => folder !== model)
    void settings.change({ recipes: Object.fromEntries([...others.slice(1 - keptRecipes), [model, recipe]]) })
    this.change({ name: '' })
    navigation.go('runs', { run: value })
  }

  /** What was replaced, as long as the model is the same. */
  #offerBack(text: string, before: Draft): void {
    const undo = () => {
      if (this.draft?.folder !== before.folder) return
      this.#forgive()
      this.#set(before)
    }
    notices.say(text, { undo })
  }

  /** What a recipe says beyond its method is in sight. */
  #unfold({ overrides, embedding_type, head_type }: Recipe): void {
    this.folds.overrides ||= overrides.length > 0
    this.folds.tables ||= embedding_type !== 'source' || head_type !== 'source'
  }

  /** What was typed there and could not be is gone. */
  #forgive(fields = Object.keys(this.invalid)): void {
    const invalid = without(this.invalid, fields)
    if (Object.keys(invalid).length < Object.keys(this.invalid).length) this.renewed++
    this.invalid = invalid
  }

  #set(draft: Draft): void {
    this.draft = draft
    const { folder: model, device } = draft
    const recipe = drafts.recipeOf(draft)
    const { overrides, embedding_type, head_type, calibration } = recipe
    const asked = { overrides, embedding_type, head_type, calibration }
    const fixed = drafts.fixedOf(draft, this.usual)
    const key = JSON.stringify([fixed, asked])
    if (this.usual.length > 0 && key !== this.#fixed) {
      this.#fixed = key
      const question = () => this.#ask('curves', { model, fixed, ...asked })
      this.#later.curves.ask(pauses.curves, question, ({ value }) => this.#takeCurves(model, value))
    }
    this.#foresee()
    const placement = () => this.#ask('placement', { model, recipe, device })
    this.#later.placement.ask(pauses.placement, placement, ({ value, problem }) => {
      const before = this.placement?.device ?? processor
      this.placement = value
      this.placementProblem = problem
      // A card takes another time than the processor.
      if (value && value.device !== before) this.#foresee()
    })
    const checks = () => this.#ask('preflight', { model, recipe, device })
    this.#later.checks.ask(pauses.checks, checks, ({ value, problem }) => {
      if (value) this.checks = value
      this.checksProblem = problem
    })
  }

  #foresee(): void {
    if (!this.draft) return
    const { folder: model, threads } = this.draft
    const recipe = drafts.recipeOf(this.draft)
    const device = this.placement?.device
    const forecast = () => this.#ask('forecast', { model, recipe, threads, device })
    this.#later.forecast.ask(pauses.forecast, forecast, ({ value, problem }) => {
      if (value) this.forecast = value
      this.forecastProblem = problem
    })
  }

  #takeCurves(folder: string, curves: Curve[] | null): void {
    if (!curves || this.draft?.folder !== folder) return
    this.curves = curves
    const { budget } = this.draft
    // What stays has changed, and with it what fits into the budget.
    if (budget && this.curve) this.#set(drafts.withBudget(this.draft, this.curve, budget).draft)
  }

  /** Files that a stored recipe names. */
  async #readCards({ calibration, evaluations }: Draft): Promise<void> {
    for (const source of [calibration.source, ...evaluations]) {
      if (!source.startsWith(bundledPrefix)) await this.#readCard(source)
    }
  }

  async #readCard(source: string): Promise<boolean> {
    const { value, problem } = await this.#ask('text', { source })
    if (problem) this.textProblem = problem
    if (value) this.texts = [...this.texts.filter((one) => one.source !== source), value]
    return value !== null
  }

  #named({ folder, method, overrides, tables }: Draft, parameters: Recipe['parameters']): string {
    return runName(this.card?.name ?? folder, {
      method,
      parameters,
      overrides: overridesOf(overrides, { method, parameters }),
      ...tables,
    })
  }
}

const isFile = ({ source }: TextCard) => !source.startsWith(bundledPrefix)

const without = <T>(all: Readonly<Record<string, T>>, keys: readonly string[]): Record<string, T> =>
  Object.fromEntries(Object.entries(all).filter(([key]) => !keys.includes(key)))

/** One draft as long as the window is open: going elsewhere and back loses nothing. */
export const newRun = new NewRun()
