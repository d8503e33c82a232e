// What more bits would gain of the run that is looked at: asked for, or measured first.
import type { Problem } from '../../../electron/contract/errors.ts'
import type { GainsAnswer } from '../../../electron/contract/plan.ts'
import { ask as askWindow } from '../../client/client.ts'

/** More than any candidate comes to: what is wanted is the measuring alone. */
const anyBudget = { by: 'linear', value: 64 } as const

export class Gains {
  /** Of `run`; null before the answer. */
  answer = $state.raw<GainsAnswer | null>(null)
  run = $state<number | null>(null)
  problem = $state.raw<Problem | null>(null)
  working = $state(false)
  /** 0 to 1; null before the first word. */
  share = $state<number | null>(null)
  /** When measuring began, by `performance.now()`. */
  begun = $state(0)
  /** Which number the map shows. */
  number = $state<string | null>('gain')

  #ask: typeof askWindow
  #turn = 0

  constructor(ask: typeof askWindow = askWindow) {
    this.#ask = ask
  }

  async load(run: number, threads: number): Promise<void> {
    if (run === this.run && (this.answer?.known || this.working)) return
    if (run !== this.run) [this.run, this.answer, this.problem] = [run, null, null]
    const turn = ++this.#turn
    const { value, problem } = await this.#ask('gains', { id: run, threads })
    if (turn !== this.#turn) return
    ;[this.answer, this.problem] = [value, problem]
  }

  /** `model`: the folder of the original. */
  async measure(model: string, threads: number): Promise<void> {
    const { answer, run } = this
    if (this.working || answer === null || run === null) return
    ;[this.working, this.share, this.problem, this.begun] = [true, null, null, performance.now()]
    const { calibration } = answer
    const { value, problem } = await this.#ask('plan', { model, calibration, budget: anyBudget, threads })
    this.working = false
    if (problem !== null) this.problem = problem.code === 'cancelled' ? null : problem
    if (value !== null && run === this.run) await this.load(run, threads)
  }

  cancel(): void {
    void this.#ask('cancelPlan', {})
  }

  hear(share: number): void {
    if (this.working) this.share = share
  }

  /** Seconds; null before there is enough to tell. */
  left(now: number): number | null {
    const { share, begun } = this
    return share === null || share < 0.05 ? null : ((now - begun) / 1000) * (1 / share - 1)
  }
}

/** Going to another view and back does not lose what is being measured. */
export const gains = new Gains()
