// Which trial each slot of the lab has: the one asked last, and until it is there the ones before it.
import type { TrialOwner } from '../contract/pictures.ts'

type Slot = { abort: AbortController; kept: TrialOwner[] }

export type Turn = {
  trial: number
  name: TrialOwner
  /** Fires when a newer trial is asked for, or the asker gives up. */
  signal: AbortSignal
  /** The trial is the slot's now; false where a newer one was asked for meanwhile. */
  keep: () => boolean
  /** Removes what is not kept. */
  end: () => Promise<void>
}

/** Trials of a slot whose pictures can still be had: who draws the last one needs them until the next is there. */
const mostKept = 2

export class Slots {
  #slots = new Map<number, Slot>()
  #trials = 0
  #under = new Set<Promise<void>>()
  #remove: (owner: TrialOwner) => Promise<void>

  constructor(remove: (owner: TrialOwner) => Promise<void>) {
    this.#remove = remove
  }

  /** Cancels what is under way in the slot. */
  begin(place: number, cancel?: AbortSignal): Turn {
    const before = this.#slots.get(place)
    before?.abort.abort()
    const slot: Slot = { abort: new AbortController(), kept: before?.kept ?? [] }
    this.#slots.set(place, slot)
    const trial = ++this.#trials
    const name: TrialOwner = `trial-${trial}`
    const signal = cancel ? AbortSignal.any([slot.abort.signal, cancel]) : slot.abort.signal
    let kept = false
    let over = () => undefined as void
    const ended = new Promise<void>((resolve) => (over = resolve))
    this.#under.add(ended)
    return {
      trial,
      name,
      signal,
      keep: () => {
        if (signal.aborted) return false
        kept = true
        slot.kept.push(name)
        return true
      },
      end: async () => {
        const old = kept ? slot.kept.splice(0, slot.kept.length - mostKept) : [name]
        for (const owner of old) await this.#remove(owner)
        this.#under.delete(ended)
        over()
      },
    }
  }

  cancel(): void {
    for (const { abort } of this.#slots.values()) abort.abort()
  }

  /** All trials go; those under way have ended by then. */
  async clear(): Promise<void> {
    this.cancel()
    await Promise.all(this.#under)
    const all = [...this.#slots.values()].flatMap(({ kept }) => kept.splice(0))
    this.#slots.clear()
    for (const owner of all) await this.#remove(owner)
  }
}
