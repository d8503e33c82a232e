// Which run, which linear, which pictures of it: the state of the view, and what is asked for it.
import type { Problem } from '../../../electron/contract/errors.ts'
import type { RunDetails, RunSummary } from '../../../electron/contract/history.ts'
import {
  isDifference,
  pairOf,
  type PictureDifference,
  type PicturedLinear,
  type PictureKind,
  type PictureOwner,
  type Pictures,
  type PictureScale,
} from '../../../electron/contract/pictures.ts'
import type { LayerReport } from '../../../electron/contract/records.ts'
import { ask } from '../../client/client.ts'
import { navigation } from '../../client/navigation.svelte.ts'
import { runs } from '../../client/runs.svelte.ts'
import type { Overlays } from '../../drawing/matrix/overlays.ts'
import type { Pane } from '../../drawing/matrix/pane.ts'
import { sharedScale } from '../../drawing/matrix/shared-scale.ts'
import { runColour } from '../../drawing/run-colour.ts'
import { inModelOrder, isKind, standardBeside, standardKind } from './choices.ts'

/** How a linear is looked at: alone, beside something, or as its difference from something. */
export type Look = 'one' | 'beside' | 'difference'

type Loaded = { pictures: Pictures; details: RunDetails }

export class Layers {
  /** By run. */
  #loaded = $state.raw<ReadonlyMap<number, Loaded | Problem>>(new Map())
  /** By run and linear. */
  #scales = $state.raw<ReadonlyMap<string, PictureScale>>(new Map())
  /** The picture in the second pane; null: the same as in the first. */
  besideKind = $state<PictureKind | null>(null)
  /** By pair and linear. */
  #differences = $state.raw<ReadonlyMap<string, PictureDifference | Problem>>(new Map())
  /** What was looked at before a difference was. */
  #single = $state<PictureKind | null>(null)
  strength = $state<Overlays>({})
  follow = $state(true)

  run = $derived.by((): RunSummary | null => {
    const { finished } = runs
    return finished.find(({ id }) => id === navigation.here.run) ?? finished[0] ?? null
  })
  /** Why another run is seen than the one that was asked for. */
  instead = $derived.by((): string => {
    const wanted = runs.get(navigation.here.run)
    if (wanted === null || this.run === null || wanted.id === this.run.id) return ''
    return `${wanted.name} is not finished; this is ${this.run.name}.`
  })
  #here = $derived(this.#of(this.run?.id))
  problem = $derived.by((): Problem | null => (this.#here && 'code' in this.#here ? this.#here : null))
  loaded = $derived.by((): Loaded | null => (this.#here && 'pictures' in this.#here ? this.#here : null))
  linear = $derived.by((): PicturedLinear | null => {
    const linears = this.loaded?.pictures.linears ?? []
    return linears.find(({ name }) => name === navigation.here.linear) ?? linears[0] ?? null
  })
  kind = $derived.by((): PictureKind => {
    const { picture: wanted } = navigation.here
    const picture = isDifferenceName(wanted) ? (this.#single ?? undefined) : wanted
    if (this.linear === null) return 'quantized'
    return isKind(picture) && this.linear.pictures.includes(picture) ? picture : standardKind(this.linear)
  })

  /** The run in the second pane: another one, or the same with another picture. */
  other = $derived.by((): RunSummary | null => this.comparable.find(({ id }) => id === navigation.here.other) ?? null)
  /** Finished runs of the same model. */
  comparable = $derived.by((): RunSummary[] =>
    runs.finished.filter(({ id, recipe }) => id !== this.run?.id && recipe.model === this.run?.recipe.model),
  )
  /** Why the other run is not seen. */
  otherProblem = $derived.by((): Problem | null => {
    const other = this.#of(this.other?.id)
    if (!this.other || !other || this.otherLinear) return null
    if ('code' in other) return other
    const name = this.linear?.name ?? ''
    if (this.#keeps(other, name)) {
      return { code: 'tensor_missing', message: `${this.other.name} keeps ${name} as it is stored: no planes to see.` }
    }
    return { code: 'tensor_missing', message: `${this.other.name} has no ${name} of the same shape.` }
  })
  otherLinear = $derived.by((): PicturedLinear | null => {
    const other = this.#of(this.other?.id)
    if (!other || !('pictures' in other) || this.linear === null) return null
    const { name, rows, columns } = this.linear
    const same = other.pictures.linears.find((one) => one.name === name)
    return same?.rows === rows && same.columns === columns ? same : null
  })

  /** Null: no difference is looked at. */
  difference = $derived.by((): 'flipped' | 'change' | null => {
    const { picture } = navigation.here
    if (!isDifferenceName(picture)) return null
    return picture === 'change' && this.hasChange ? 'change' : 'flipped'
  })
  /** Whether errors can be compared: there are two runs, and the original weights. */
  hasChange = $derived.by(() =>
    [this.linear, this.otherLinear].every((linear) => linear?.pictures.includes('error') ?? false),
  )
  look = $derived.by((): Look => {
    if (this.difference) return 'difference'
    return this.other || this.besideKind ? 'beside' : 'one'
  })
  /** How it may be looked at: beside it, and against it, there must be something. */
  looks = $derived.by((): Record<Look, boolean> => {
    const { pictures = [] } = this.linear ?? {}
    const others = this.comparable.length > 0
    return { one: true, beside: others || pictures.length > 1, difference: others || pictures.includes('original') }
  })

  panes = $derived.by((): Pane[] => {
    if (this.run === null || this.linear === null) return []
    if (this.difference) return this.#differencePanes(this.run, this.linear, this.difference)
    const first = this.#pane(this.run, this.linear, this.kind)
    const second = this.#second(this.run, this.linear)
    // Both are coloured by one scale; the first one is seen before the other one's is known.
    const panes = second ? [first, second] : [first]
    const scales = panes.map((pane) => this.#scaleOf(pane.run, pane.linear.name))
    const shared = sharedScale(scales)
    const pair = this.#comparedWith(this.run, this.linear)
    return panes.map((pane, k) => ({ ...pane, scale: scales[k] ? shared : null, pair }))
  })

  /** The runs whose numbers colour what is seen. */
  shown = $derived.by((): { run: number; linear: PicturedLinear }[] => {
    if (this.run === null || this.linear === null) return []
    const other = this.other && this.otherLinear ? [{ run: this.other.id, linear: this.otherLinear }] : []
    return [{ run: this.run.id, linear: this.linear }, ...other]
  })
  #pair = $derived(`${pairOf(this.run?.id ?? 0, this.other?.id ?? null)}/${this.linear?.name ?? ''}`)
  /** Of the difference that is looked at; undefined until it is counted. */
  counted = $derived.by((): PictureDifference | Problem | undefined => this.#differences.get(this.#pair))

  reports = $derived(new Map(this.loaded?.details.layer_reports.map((report) => [report.name, report])))

  /** Linears that are stored as they were: there are no planes of them. */
  kept = $derived.by(() => this.loaded?.details.layer_reports.filter(({ method }) => method === 'keep') ?? [])

  report(linear: { name: string }): LayerReport | undefined {
    return this.reports.get(linear.name)
  }

  otherReport(linear: { name: string }): LayerReport | undefined {
    const other = this.#of(this.other?.id)
    if (!other || !('details' in other)) return undefined
    return other.details.layer_reports.find(({ name }) => name === linear.name)
  }

  /** Asks for whatever is shown and not there yet. */
  async load(run: number): Promise<void> {
    const [pictures, details] = await Promise.all([ask('runPictures', { id: run }), ask('run', { id: run })])
    const problem = pictures.problem ?? details.problem
    const loaded = problem ?? { pictures: inModelOrder(pictures.value!), details: details.value! }
    this.#loaded = new Map(this.#loaded).set(run, loaded)
  }

  async loadScale(run: number, linear: string): Promise<void> {
    const { value, problem } = await ask('pictureScale', { id: run, linear })
    // Without a scale there are still signs to see; the tiles will say what is wrong.
    const scale = value ?? { weight: 0, error: 0 }
    if (problem === null || value === null) this.#scales = new Map(this.#scales).set(`${run}/${linear}`, scale)
  }

  async loadDifference(): Promise<void> {
    const key = this.#pair
    if (!this.run || !this.linear || this.#differences.has(key)) return
    const request = { id: this.run.id, other: this.other?.id ?? null, linear: this.linear.name }
    const { value, problem } = await ask('pictureDifference', request)
    this.#differences = new Map(this.#differences).set(key, problem ?? value)
  }

  isLoaded = (run: number) => this.#loaded.has(run)
  hasScale = (run: number, linear: string) => this.#scales.has(`${run}/${linear}`)

  chooseRun(id: number): void {
    const other = navigation.here.other === id ? undefined : navigation.here.other
    navigation.show({ run: id, ...(other === undefined ? {} : { other }) })
  }
  chooseLinear(name: string): void {
    navigation.show({ linear: name })
  }
  chooseKind(kind: PictureKind): void {
    navigation.show({ picture: kind })
  }

  chooseLook(look: Look): void {
    const { other, linear, kind } = this
    if (look === this.look || linear === null) return
    if (look === 'difference') {
      this.#single = kind
      this.besideKind = null
      navigation.show({ picture: 'flipped', other: (other ?? this.comparable[0])?.id })
      return
    }
    this.besideKind = look === 'beside' && !other ? standardBeside(linear, kind) : null
    // Where the run has no other picture it stands beside another run.
    const second = this.besideKind === null ? (other ?? this.comparable[0])?.id : undefined
    navigation.show({ picture: kind, other: look === 'one' ? undefined : second })
  }
  chooseDifference(kind: 'flipped' | 'change'): void {
    navigation.show({ picture: kind })
  }

  /** Previous (-1) or next (1), in the order of the model. */
  step(by: 1 | -1): void {
    const next = this.neighbour(by)
    if (next) this.chooseLinear(next.name)
  }
  neighbour(by: 1 | -1): PicturedLinear | null {
    const linears = this.loaded?.pictures.linears ?? []
    return linears[linears.findIndex(({ name }) => name === this.linear?.name) + by] ?? null
  }

  #keeps(loaded: Loaded, name: string): boolean {
    return loaded.details.layer_reports.some((report) => report.name === name && report.method === 'keep')
  }
  #of(run: number | undefined): Loaded | Problem | undefined {
    return run === undefined ? undefined : this.#loaded.get(run)
  }
  #scaleOf(run: PictureOwner, linear: string): PictureScale | null {
    return this.#scales.get(`${run}/${linear}`) ?? null
  }
  /** What may be laid over a picture as well: its difference from the run beside it, or from the original. */
  #comparedWith(run: RunSummary, linear: PicturedLinear): PictureOwner | null {
    if (this.other) return this.otherLinear ? pairOf(run.id, this.other.id) : null
    return linear.pictures.includes('original') ? pairOf(run.id, null) : null
  }
  /** None where there is nothing to compare with: the other run has no such linear, or there are no original weights. */
  #differencePanes(run: RunSummary, linear: PicturedLinear, kind: 'flipped' | 'change'): Pane[] {
    if (this.other ? this.otherLinear === null : !linear.pictures.includes('original')) return []
    const scales = this.shown.map((one) => this.#scaleOf(one.run, one.linear.name))
    const scale = scales.every((one) => one !== null) ? sharedScale(scales) : null
    const title = `${run.name} → ${this.other?.name ?? 'original'}`
    const owner = pairOf(run.id, this.other?.id ?? null)
    // Nothing else can be seen of a pair, nor laid over it.
    return [{ run: owner, title, colour: runColour(run.id), linear: { ...linear, pictures: [kind] }, kind, scale }]
  }
  #second(run: RunSummary, linear: PicturedLinear): Pane<number> | null {
    if (this.other) {
      if (this.otherLinear === null) return null
      const wanted = this.besideKind ?? this.kind
      const kind = this.otherLinear.pictures.includes(wanted) ? wanted : standardKind(this.otherLinear)
      return this.#pane(this.other, this.otherLinear, kind)
    }
    if (this.besideKind === null || !linear.pictures.includes(this.besideKind)) return null
    return this.#pane(run, linear, this.besideKind)
  }
  #pane(run: RunSummary, linear: PicturedLinear, kind: PictureKind): Pane<number> {
    return { run: run.id, title: run.name, colour: runColour(run.id), linear, kind, scale: null }
  }
}

const isDifferenceName = (picture: string | undefined) => isKind(picture) && isDifference(picture)
