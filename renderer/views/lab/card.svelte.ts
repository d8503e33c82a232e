// One recipe on the table: what it is told, what came of it last, and the trial that is under way.
import type { Problem } from '../../../electron/contract/errors.ts'
import type { LabPlace, Trial } from '../../../electron/contract/lab.ts'
import {
  findMethod,
  resolveParameters,
  unusual,
  type Method,
  type MethodId,
  type Parameters,
} from '../../../electron/contract/methods.ts'
import { checkValue, rangeOf, type ParameterValue } from '../../../electron/contract/parameters.ts'
import type { ask as askWindow } from '../../client/client.ts'
import { Later } from '../../client/later.ts'

/** Milliseconds after the last move of a parameter. */
const pause = 100

export type LabRecipe = { method: MethodId; parameters: Parameters }

export class Card {
  /** Of the worker: the trial that is asked last ends the one before. */
  readonly slot: number
  method = $state<MethodId>('signum-rc')
  /** What is not as usual, by method: going to another method and back loses nothing. */
  given = $state.raw<Partial<Record<MethodId, Parameters>>>({})
  /** What was typed and cannot be, by parameter. */
  invalid = $state.raw<Readonly<Record<string, string>>>({})
  /** Counts how often fields were set anew, whatever had been typed into them. */
  renewed = $state(0)
  trial = $state.raw<Trial | null>(null)
  problem = $state.raw<Problem | null>(null)
  /** What is seen is not yet what is asked for. */
  stale = $state(false)
  /** That takes longer than a blink. */
  slow = $state(false)

  #ask: typeof askWindow
  #place: () => LabPlace | null
  #later = new Later((slow) => (this.slow = slow))

  constructor(ask: typeof askWindow, place: () => LabPlace | null, slot: number, { method, parameters }: LabRecipe) {
    this.#ask = ask
    this.#place = place
    this.slot = slot
    this.method = method
    this.given = { [method]: unusual(methodOf(method), parameters) }
  }

  entry = $derived(methodOf(this.method))
  mine = $derived(this.given[this.method] ?? {})
  /** Two parameters that do not go together. */
  together = $derived.by((): Problem | null => {
    const resolved = resolveParameters(this.entry, this.mine)
    return resolved.ok ? null : resolved.problem
  })
  parameters = $derived.by((): Parameters => {
    const resolved = resolveParameters(this.entry, this.mine)
    const usual = Object.fromEntries(this.entry.parameters.map((one) => [one.key, one.default]))
    return resolved.ok ? resolved.value : { ...usual, ...this.mine }
  })
  wrong = $derived.by(() => this.together !== null || Object.keys(this.invalid).length > 0)
  recipe = $derived.by((): LabRecipe => ({ method: this.method, parameters: this.mine }))

  setMethod(method: MethodId): void {
    this.#forgive()
    this.method = method
    this.ask()
  }

  /** As typed; null: no number. What cannot be stays out, and is said at the field. */
  setParameter(key: string, value: ParameterValue | null): void {
    const parameter = this.entry.parameters.find((one) => one.key === key)
    if (!parameter) return
    const checked = checkValue(parameter, value ?? '')
    if (!checked.ok) {
      this.invalid = { ...this.invalid, [key]: `Must be ${rangeOf(parameter)}.` }
      return
    }
    this.invalid = without(this.invalid, key)
    this.#give({ ...this.mine, [key]: checked.value })
  }

  /** The same, from a slider: what was typed into the field before is gone. */
  slide(key: string, value: number): void {
    this.invalid = without(this.invalid, key)
    this.renewed++
    this.setParameter(key, value)
  }

  reset(key?: string): void {
    this.#forgive(key)
    this.#give(key === undefined ? {} : without(this.mine, key))
  }

  /** Asks when the person pauses; at once where nothing is being moved. */
  ask(after = pause): void {
    const place = this.#place()
    if (place === null || this.wrong) return this.drop()
    this.stale = true
    const { slot, method, mine: parameters } = this
    const question = () => this.#ask('labTry', { ...place, slot, method, parameters })
    this.#later.ask(after, question, ({ value, problem }) => {
      // A newer one, of this window or another, has taken the slot.
      if (problem?.code === 'cancelled') return
      this.stale = false
      this.problem = problem
      if (value) this.trial = value
    })
  }

  /** Nobody waits for what was asked. */
  drop(): void {
    this.#later.drop()
    this.stale = false
  }

  /** Of another linear, nothing that was seen is true. */
  clear(): void {
    this.drop()
    this.trial = this.problem = null
  }

  #give(parameters: Parameters): void {
    this.given = { ...this.given, [this.method]: unusual(this.entry, parameters) }
    this.ask()
  }

  #forgive(key?: string): void {
    const invalid = key === undefined ? {} : without(this.invalid, key)
    if (Object.keys(invalid).length < Object.keys(this.invalid).length) this.renewed++
    this.invalid = invalid
  }
}

function methodOf(id: MethodId): Method {
  const found = findMethod(id)
  if (!found.ok) throw new Error(found.problem.message)
  return found.value
}

const without = <T>(all: Readonly<Record<string, T>>, key: string): Record<string, T> =>
  Object.fromEntries(Object.entries(all).filter(([one]) => one !== key))
