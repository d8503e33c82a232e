// Where runs could begin that wait: those left to Signum are looked after, and what was found is kept until cards change.
import { automatic, processor } from '../contract/devices.ts'
import type { RunRow } from '../contract/history.ts'
import type { Candidates } from './placement.ts'

/** For a run that is left to Signum. */
export type FindCandidates = (run: RunRow) => Promise<Candidates>

const onProcessor: Candidates = { devices: [processor], why: null }

export class FoundCandidates {
  #find: FindCandidates | undefined
  #listener: () => void
  /** By run, as they were found last; null while they are looked for. */
  #found = new Map<number, Candidates | null>()
  /** Which devices others had then. */
  #others = ''

  /** Without `find` such a run begins on the processor. `listener` hears when some were found. */
  constructor(find: FindCandidates | undefined, listener: () => void) {
    this.#find = find
    this.#listener = listener
  }

  /** Null while they are looked for. */
  of(run: RunRow): Candidates | null {
    if (run.device !== automatic) return { devices: [run.device], why: null }
    if (this.#find === undefined) return onProcessor
    const known = this.#found.get(run.id)
    if (known !== undefined) return known
    this.#found.set(run.id, null)
    void this.#find(run)
      .catch(() => onProcessor)
      .then((found) => {
        this.#found.set(run.id, found)
        this.#listener()
      })
    return null
  }

  /** What is free of a card is another once a run has left it. */
  forget(): void {
    for (const [run, candidates] of this.#found) if (candidates !== null) this.#found.delete(run)
  }

  /** `others`: which devices other processes have by now. */
  underOthers(others: string): void {
    if (others === this.#others) return
    this.#others = others
    this.forget()
  }
}
