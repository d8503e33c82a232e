// Two runs and one linear of both: which, and what is asked for to show them.
import type { Problem } from '../../../electron/contract/errors.ts'
import type { RunDetails } from '../../../electron/contract/history.ts'
import type { PictureKind, Pictures, PictureScale } from '../../../electron/contract/pictures.ts'
import { ask } from '../../client/client.ts'
import { navigation } from '../../client/navigation.svelte.ts'
import { runs } from '../../client/runs.svelte.ts'
import type { Pane } from '../../drawing/matrix/pane.ts'
import { runColour } from '../../drawing/run-colour.ts'
import { sharedScale } from '../../drawing/matrix/shared-scale.ts'
import { commonLinears, kindFor } from './linears.ts'

type Loaded = { details: RunDetails | null; pictures: Pictures | null; problem: Problem | null }

export class SideBySide {
  #loaded = $state.raw<ReadonlyMap<number, Loaded>>(new Map())
  #scales = $state.raw<ReadonlyMap<string, PictureScale>>(new Map())
  /** What was asked for, so that nothing is asked for twice. */
  #asked = new Set<string>()

  left = $derived(runs.get(navigation.here.run))
  right = $derived(runs.get(navigation.here.other))
  #lefts = $derived(this.left && this.#loaded.get(this.left.id))
  #rights = $derived(this.right && this.#loaded.get(this.right.id))
  loading = $derived(!this.#lefts || !this.#rights)
  problem = $derived(this.#lefts?.problem ?? this.#rights?.problem ?? null)
  /** Why there is nothing of the original to see. */
  originalProblem = $derived(
    this.#lefts?.pictures?.original_problem ?? this.#rights?.pictures?.original_problem ?? null,
  )

  linears = $derived(commonLinears(this.#lefts?.pictures?.linears ?? [], this.#rights?.pictures?.linears ?? []))
  linear = $derived(this.linears.find((pair) => pair.left.name === navigation.here.linear) ?? this.linears[0] ?? null)
  kind = $derived(this.linear && kindFor(this.linear, navigation.here.picture))

  panes = $derived.by((): Pane<number>[] => {
    const { left, right, linear, kind } = this
    if (!left || !right || !linear || !kind) return []
    const scale = sharedScale([left, right].map(({ id }) => this.#scales.get(`${id} ${linear.left.name}`) ?? null))
    const pane = ({ id, name }: { id: number; name: string }, side: 'left' | 'right'): Pane<number> => ({
      run: id,
      title: name,
      colour: runColour(id),
      linear: linear[side],
      kind,
      scale,
    })
    return [pane(left, 'left'), pane(right, 'right')]
  })

  reports = $derived({
    left: this.#lefts?.details?.layer_reports ?? [],
    right: this.#rights?.details?.layer_reports ?? [],
  })

  /** Asks for what is shown and was not asked for yet. */
  load(): void {
    for (const run of [this.left, this.right]) {
      if (run) this.#once(`${run.id}`, () => this.#loadRun(run.id))
    }
    for (const { run, linear } of this.panes) {
      this.#once(`${run} ${linear.name}`, () => this.#loadScale(run, linear.name))
    }
  }

  chooseLinear(name: string): void {
    navigation.show({ linear: name })
  }

  chooseKind(kind: PictureKind): void {
    navigation.show({ picture: kind })
  }

  exchange(): void {
    navigation.show({ run: navigation.here.other, other: navigation.here.run })
  }

  #once(what: string, load: () => Promise<void>): void {
    if (this.#asked.has(what)) return
    this.#asked.add(what)
    void load()
  }

  async #loadRun(id: number): Promise<void> {
    const [details, pictures] = await Promise.all([ask('run', { id }), ask('runPictures', { id })])
    const problem = details.problem ?? pictures.problem
    const loaded = { details: details.value, pictures: pictures.value, problem }
    this.#loaded = new Map(this.#loaded).set(id, loaded)
  }

  async #loadScale(run: number, linear: string): Promise<void> {
    const { value } = await ask('pictureScale', { id: run, linear })
    // Without a scale there are still signs to see; the tiles say what is wrong.
    this.#scales = new Map(this.#scales).set(`${run} ${linear}`, value ?? { weight: 0, error: 0 })
  }
}
