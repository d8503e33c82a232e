// A budget divided among the linears of the model: asked for, watched, and taken over into the draft.
import type { Budget } from '../../../electron/contract/curve.ts'
import type { Problem } from '../../../electron/contract/errors.ts'
import { recipeText } from '../../../electron/contract/override-text.ts'
import { linearRecipes, type Override } from '../../../electron/contract/overrides.ts'
import type { PlanAnswer } from '../../../electron/contract/plan.ts'
import type { Recipe } from '../../../electron/contract/recipe.ts'
import { ask as askWindow } from '../../client/client.ts'

/** What a plan is made for. */
export type Subject = { model: string; recipe: Recipe; calibration: Recipe['calibration']; threads: number }

type Sizes = { linear: number; file_bytes: number }

export class MixedPlan {
  by = $state<Budget['by']>('linear')
  /** Linear bits per weight, or bytes of files. */
  budget = $state(2.25)
  working = $state(false)
  /** 0 to 1; null before the first word. */
  share = $state<number | null>(null)
  answer = $state.raw<PlanAnswer | null>(null)
  problem = $state.raw<Problem | null>(null)
  /** The model of the answer. */
  model = $state('')

  #ask: typeof askWindow
  /** Overrides that a plan made: the next one takes their place. */
  #planned = new Set<string>()

  constructor(ask: typeof askWindow = askWindow) {
    this.#ask = ask
  }

  rows = $derived.by(() => {
    const { recipe, plan } = this.answer ?? {}
    if (!recipe || !plan) return []
    const recipes = linearRecipes(
      recipe,
      plan.choices.map(({ name }) => name),
    )
    return plan.choices.map((choice) => ({ ...choice, recipe: recipeText(recipes.get(choice.name) ?? null) }))
  })

  /** The same size said otherwise: that of the last plan, else that of the draft's own recipe. */
  setBy(by: Budget['by'], draft: Sizes | null): void {
    const sizes = this.answer?.plan.sizes ?? draft
    if (by === this.by || sizes === null) return
    ;[this.by, this.budget] = [by, by === 'linear' ? Number(sizes.linear.toFixed(2)) : sizes.file_bytes]
  }

  /** Measures where that was not done before. */
  async make({ model, recipe, calibration, threads }: Subject): Promise<void> {
    if (this.working || calibration === null) return
    ;[this.working, this.share, this.problem] = [true, null, null]
    const { evaluations, overrides, embedding_type, head_type } = recipe
    const { value, problem } = await this.#ask('plan', {
      model,
      calibration,
      evaluations,
      overrides: this.#own(overrides),
      embedding_type,
      head_type,
      budget: { by: this.by, value: this.budget },
      threads,
    })
    this.working = false
    this.problem = problem?.code === 'cancelled' ? null : problem
    if (value === null) return
    ;[this.answer, this.model] = [value, model]
    for (const { match } of value.recipe.overrides.slice(this.#own(overrides).length)) this.#planned.add(match)
  }

  cancel(): void {
    void this.#ask('cancelPlan', {})
  }

  #own(overrides: readonly Override[]): Override[] {
    return overrides.filter(({ match }) => !this.#planned.has(match))
  }
}

export const mixedPlan = new MixedPlan()
