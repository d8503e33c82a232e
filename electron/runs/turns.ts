// Whose turn it is: which waiting runs begin, and where; and why the others wait. Pure.
import { automatic } from '../contract/devices.ts'
import type { RunRow } from '../contract/history.ts'
import type { Candidates } from './placement.ts'
import { waitingWords, type Holder } from './waiting-words.ts'

/** How a waiting run is to begin. */
export type Waited = { threads: number; elsewhere: boolean }
export type Waiting = { run: RunRow; how: Waited }

export type Turns = {
  /** `why`: of a run that was left to Signum. */
  begin: (Waiting & { device: string; why: string | null })[]
  /** By run. */
  waits: Map<number, string>
}

/** A run never overtakes another one that waits for the same device. `candidatesOf`: null where they are not known yet. */
export function turns(
  waiting: readonly Waiting[],
  candidatesOf: (run: RunRow) => Candidates | null,
  held: ReadonlyMap<string, Holder>,
  before: ReadonlyMap<number, string>,
): Turns {
  const holders = new Map(held)
  const begin: Turns['begin'] = []
  const waits: Turns['waits'] = new Map()
  for (const [at, one] of waiting.entries()) {
    const { id, device: wish } = one.run
    const candidates = candidatesOf(one.run)
    if (candidates === null) {
      // What comes behind it might take the card that it is about to get: until that is known, all is as it was.
      for (const { run } of waiting.slice(at)) {
        const words = before.get(run.id)
        if (words !== undefined) waits.set(run.id, words)
      }
      break
    }
    const { devices, why } = candidates
    const free = devices.find((device) => !holders.has(device))
    if (free !== undefined) {
      holders.set(free, { run: id })
      begin.push({ ...one, device: free, why: wish === automatic ? why : null })
    } else {
      waits.set(id, waitingWords(devices, holders, wish === automatic))
      for (const device of devices) holders.set(device, { run: id, waits: true })
    }
  }
  return { begin, waits }
}
