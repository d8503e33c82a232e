// A look at the windows that the run will be calibrated on: one at a time, asked for again whenever the calibration changes.
import type { Problem } from '../../../electron/contract/errors.ts'
import type { Calibration } from '../../../electron/contract/recipe.ts'
import type { SampledText } from '../../../electron/contract/sampled-text.ts'
import { ask as askWindow } from '../../client/client.ts'
import { Later } from '../../client/later.ts'

const pause = 150
/** Bytes of a text that is read without being asked to: more takes longer than a blink. */
const short = 2 ** 20

export class SampledWindows {
  shown = $state.raw<SampledText | null>(null)
  problem = $state.raw<Problem | null>(null)
  slow = $state(false)
  /** The text is long: it is read when somebody says so. */
  waits = $state(false)
  #ask: typeof askWindow
  #later: Later
  #asked = ''
  #subject: { model: string; calibration: Calibration } | null = null
  /** Sources that somebody wanted read though they are long. */
  #wanted = new Set<string>()

  constructor(ask: typeof askWindow = askWindow) {
    this.#ask = ask
    this.#later = new Later((slow) => (this.slow = slow))
  }

  /** `bytes`: of the text, null where that is not known. The window that is shown stays, where there is one. */
  look(model: string, calibration: Calibration, bytes: number | null): void {
    const subject = { model, calibration: { ...calibration } }
    const { source } = calibration
    const other = source !== this.#subject?.calibration.source || model !== this.#subject.model
    this.#subject = subject
    if (other) this.shown = null
    const packed = source.endsWith('.gz')
    this.waits = !this.#wanted.has(source) && (bytes === null || bytes > short || packed)
    if (this.waits) {
      this.#later.drop()
      this.#asked = ''
      ;[this.shown, this.problem] = [null, null]
    } else this.go(this.shown?.window ?? 0)
  }

  /** Reads a long text. */
  read(): void {
    if (!this.#subject) return
    this.#wanted.add(this.#subject.calibration.source)
    this.waits = false
    this.go(0)
  }

  go(window: number): void {
    if (!this.#subject) return
    const request = { ...this.#subject, window: Math.max(0, window) }
    const key = JSON.stringify(request)
    if (key === this.#asked) return
    this.#asked = key
    const question = () => this.#ask('sampledText', request)
    this.#later.ask(pause, question, ({ value, problem }) => {
      if (problem?.code === 'cancelled') return
      this.shown = value
      this.problem = problem
    })
  }
}

export const sampledWindows = new SampledWindows()
