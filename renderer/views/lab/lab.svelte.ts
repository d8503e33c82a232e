// The layer lab: which linear lies on the table, and the recipes that are tried on it.
import type { ModelCard, TextCard } from '../../../electron/contract/api.ts'
import type { Problem } from '../../../electron/contract/errors.ts'
import { mostTrials, type LabLinear, type LabPlace } from '../../../electron/contract/lab.ts'
import { methodIds, methods, type MethodId } from '../../../electron/contract/methods.ts'
import type { PictureKind, PictureScale } from '../../../electron/contract/pictures.ts'
import { bundledPrefix, type Calibration } from '../../../electron/contract/recipe.ts'
import type { Linear } from '../../../electron/contract/records.ts'
import { ask as askWindow } from '../../client/client.ts'
import { sharedScale } from '../../drawing/matrix/shared-scale.ts'
import { Card, type LabRecipe } from './card.svelte.ts'
import { compared } from './numbers.ts'

/** A model of this size is put on the table without being asked for. */
const small = 5e8
/** Of our own, and short enough for a second or two. */
const usualText: Calibration = {
  source: `${bundledPrefix}calibration-broad`,
  sampling: 'sequential',
  sequences: 32,
  length: 256,
  seed: 0,
  join: 'raw',
}
const firstMethods: readonly MethodId[] = ['billm', 'arb-rc', 'signum-rc']
/** In which something of every recipe is seen. */
export const labPictures = [
  'sign',
  'second',
  'salient',
  'group',
  'quantized',
  'error',
  'original',
  'code',
  'mask',
] as const

export type Opening = { phase: string; share: number; eta: number | null }

export class Lab {
  /** Null until the first answer. */
  models = $state.raw<ModelCard[] | null>(null)
  texts = $state.raw<TextCard[]>([])
  problem = $state.raw<Problem | null>(null)
  /** The folder. */
  model = $state<string | null>(null)
  linear = $state<string | null>(null)
  /** Null: without a text, and so without output errors. */
  calibration = $state.raw<Calibration | null>(null)
  /** What lies on the table; null while nothing does. */
  table = $state.raw<LabLinear | null>(null)
  /** While the linear is being fetched, and its inputs are summed. */
  opening = $state.raw<Opening | null>(null)
  openProblem = $state.raw<Problem | null>(null)
  cards = $state.raw<readonly Card[]>([])
  /** In every card. */
  picture = $state<PictureKind>('sign')

  #ask: typeof askWindow
  #turn = 0

  constructor(ask: typeof askWindow = askWindow) {
    this.#ask = ask
    this.cards = firstMethods.map((method, slot) => this.#card(slot, { method, parameters: {} }))
  }

  usable = $derived.by(() => this.models?.filter(({ model, problem }) => model !== null && problem === null) ?? [])
  card = $derived.by(() => this.usable.find(({ folder }) => folder === this.model) ?? null)
  linears = $derived.by((): readonly Linear[] => this.card?.model?.linears ?? [])
  one = $derived.by(() => this.linears.find(({ name }) => name === this.linear) ?? null)
  place = $derived.by((): LabPlace | null => {
    const { model, linear, calibration } = this
    return model === null || linear === null ? null : { model, linear, calibration }
  })
  numbers = $derived.by(() => compared(this.cards.map(({ trial }) => trial?.report ?? null)))
  /** One for all, or colours could not be compared. */
  scale = $derived.by((): PictureScale | null => sharedScale(this.cards.map(({ trial }) => trial?.scale ?? null)))
  pictures = $derived.by(() =>
    labPictures.filter((kind) => this.cards.some(({ trial }) => trial?.linear.pictures.includes(kind))),
  )
  /** The chosen picture, as long as any recipe has it. */
  seen = $derived.by((): PictureKind => {
    const [first] = this.pictures
    return first === undefined || this.pictures.some((kind) => kind === this.picture) ? this.picture : first
  })
  full = $derived.by(() => this.cards.length >= mostTrials)
  /** The linear is not fetched before somebody says so. */
  waiting = $derived.by(
    () => this.place !== null && this.table === null && this.opening === null && this.openProblem === null,
  )

  /** `wanted`: what another view wants on the table. */
  async open(wanted: { model?: string | undefined; linear?: string | undefined }): Promise<void> {
    const [models, texts] = await Promise.all([this.#ask('library', {}), this.#ask('texts', {})])
    this.problem = models.problem ?? texts.problem
    if (models.value) this.models = models.value
    if (texts.value) this.texts = [...texts.value, ...this.texts.filter(isFile)]
    const model = [wanted.model, this.model].find((one) => this.usable.some(({ folder }) => folder === one))
    this.choose(model ?? this.usable[0]?.folder ?? null, wanted.linear)
  }

  /** Another model, or another linear of it; a linear that is there stays. */
  choose(model: string | null, linear?: string): void {
    const other = model !== this.model
    const first = this.model === null
    this.model = model
    const known = (name: string | null | undefined) => this.linears.some((one) => one.name === name)
    const next = known(linear) ? linear : known(this.linear) ? this.linear : this.linears[0]?.name
    if (other && (first || this.calibration)) this.calibration = this.#fitted(this.calibration ?? usualText)
    if (!other && next === this.linear && (this.table !== null || this.opening !== null)) return
    this.linear = next ?? null
    this.#lay(other)
  }

  setCalibration(changes: Partial<Calibration> | null): void {
    if (changes === null) this.calibration = null
    else this.calibration = this.#fitted({ ...(this.calibration ?? usualText), ...changes })
    this.#lay(false)
  }

  /** Previous (-1) or next (1), in the order of the model. */
  neighbour(by: 1 | -1): Linear | null {
    const at = this.linears.findIndex(({ name }) => name === this.linear)
    return at < 0 ? null : (this.linears[at + by] ?? null)
  }

  /** Fetches the linear and tries every recipe on it. */
  async fetch(): Promise<void> {
    const { place } = this
    if (place === null) return
    const turn = ++this.#turn
    ;[this.opening, this.openProblem, this.table] = [{ phase: 'open', share: 0, eta: null }, null, null]
    const { value, problem } = await this.#ask('labOpen', place)
    if (turn !== this.#turn) return
    this.opening = null
    this.openProblem = problem?.code === 'cancelled' ? null : problem
    this.table = value
    if (value) for (const card of this.cards) card.ask(0)
  }

  /** Gives up fetching. */
  cancel(): void {
    this.#turn++
    this.opening = null
    void this.#ask('labClose', {})
  }

  hear({ phase, share, eta }: Opening): void {
    if (this.opening !== null) this.opening = { phase, share, eta }
  }

  add(recipe: LabRecipe): void {
    const slot = Array.from({ length: mostTrials }, (_, k) => k).find((k) => this.cards.every((one) => one.slot !== k))
    if (slot === undefined) return
    const card = this.#card(slot, recipe)
    this.cards = [...this.cards, card]
    if (this.table) card.ask(0)
  }

  duplicate({ recipe }: Card): void {
    this.add(recipe)
  }

  remove(card: Card): void {
    card.drop()
    this.cards = this.cards.filter((one) => one !== card)
  }

  /** Every method as it is usually run, as far as there is room; those on the table stay. */
  addMissing(): void {
    const missing = methodIds.filter((id) => !this.cards.some(({ method }) => method === id))
    for (const method of missing) this.add({ method, parameters: {} })
  }

  /** A text of the person's own. */
  async browse(): Promise<void> {
    const { value: source } = await this.#ask('chooseText', { title: 'A text whose tokens the linear reads' })
    if (source === null) return
    const { value, problem } = await this.#ask('text', { source })
    this.problem = problem
    if (value === null) return
    this.texts = [...this.texts.filter((one) => one.source !== source), value]
    this.setCalibration({ source })
  }

  /** What was seen was of another place. */
  #lay(another: boolean): void {
    this.#turn++
    for (const card of this.cards) card.clear()
    const opened = this.table !== null || this.opening !== null
    ;[this.table, this.opening, this.openProblem] = [null, null, null]
    if (this.place === null) return
    const parameters = this.card?.model?.parameters ?? Infinity
    if (parameters <= small || (opened && !another)) void this.fetch()
  }

  #card(slot: number, recipe: LabRecipe): Card {
    return new Card(this.#ask, () => (this.table === null ? null : this.place), slot, recipe)
  }

  /** Sequences no longer than the model can look. */
  #fitted(calibration: Calibration): Calibration {
    const context = this.card?.model?.context ?? Infinity
    return { ...calibration, length: Math.min(calibration.length ?? context, context) }
  }
}

const isFile = ({ source }: TextCard) => !source.startsWith(bundledPrefix)

/** In the order of the catalogue. */
export const methodOptions = methods.map(({ id, title }) => ({ value: id, label: title }))

/** One table as long as the window is open: going elsewhere and back loses nothing. */
export const lab = new Lab()
