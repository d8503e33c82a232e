// Questions that are asked anew while a person still moves things: only the last one counts, and is asked when they pause.

/** A question that takes longer than this shows that it does. */
const blink = 200

export class Later {
  #timer: ReturnType<typeof setTimeout> | undefined
  #slow: ReturnType<typeof setTimeout> | undefined
  #last = 0
  #onslow: (slow: boolean) => void

  constructor(onslow: (slow: boolean) => void = () => undefined) {
    this.#onslow = onslow
  }

  /** Asks after so many milliseconds without another question; an answer that was overtaken is dropped. */
  ask<T>(pause: number, question: () => Promise<T>, use: (answer: T) => void): void {
    clearTimeout(this.#timer)
    const mine = ++this.#last
    this.#timer = setTimeout(() => {
      this.#slow ??= setTimeout(() => this.#onslow(true), blink)
      void question().then((answer) => {
        if (mine !== this.#last) return
        this.#settle()
        use(answer)
      })
    }, pause)
  }

  /** Nobody wants the answer any more. */
  drop(): void {
    clearTimeout(this.#timer)
    this.#last++
    this.#settle()
  }

  #settle(): void {
    clearTimeout(this.#slow)
    this.#slow = undefined
    this.#onslow(false)
  }
}
