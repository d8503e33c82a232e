// Long work in slices of a few milliseconds, so that whatever is asked meanwhile need not wait for its end. Of several works the
// one that was begun last goes first: it is what a person looks at now. Work in the background, which a first answer does not wait
// for, goes after all others.
import { setImmediate } from 'node:timers/promises'

/** Waits until it is this work's turn again. Called between two slices. */
export type Pause = () => Promise<void>
export type Turns = <T>(work: (pause: Pause) => Promise<T>, background?: 'background') => Promise<T>

export function takeTurns(): Turns {
  // The last one goes first.
  const works: { resume: () => void; background: boolean }[] = []
  return async (work, background) => {
    const mine = { resume: () => {}, background: background !== undefined }
    const others = mine.background ? works.filter((one) => one.background).length : works.length
    works.splice(others, 0, mine)
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
