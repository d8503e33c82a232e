// Long work in slices of a few milliseconds, so that the process that also draws the window stays responsive. Of several works
// the one that was begun last goes first: it is what a person looks at now.
import { setImmediate } from 'node:timers/promises'

/** Waits until it is this work's turn again. Called between two slices. */
export type Pause = () => Promise<void>
export type Turns = <T>(work: (pause: Pause) => Promise<T>) => Promise<T>

export function takeTurns(): Turns {
  const works: { resume: () => void }[] = []
  return async (work) => {
    const mine = { resume: () => {} }
    works.push(mine)
    try {
      return await work(async () => {
        await setImmediate()
        while (works.at(-1) !== mine) await new Promise<void>((resume) => (mine.resume = resume))
      })
    } finally {
      works.splice(works.indexOf(mine), 1)
      works.at(-1)?.resume()
    }
  }
}
