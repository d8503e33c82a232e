// How finely a matrix is drawn while it moves: as well as frames still come in time. What stands still is always drawn as well as can be.

/** 0: four samples a pixel where cells are small. 1: one. 2: one, and a picture of half as many pixels along each side. */
export type Fineness = 0 | 1 | 2

/** Milliseconds: a little more than a frame at 60 a second. */
const inTime = 19
/** A pause as long as this ended the movement. */
const pause = 120
const judged = 6

export class Pace {
  fineness: Fineness = 0
  #last = 0
  #gaps: number[] = []

  /** Called at every frame in which something moved; `now` in milliseconds. */
  moved(now: number): void {
    const gap = now - this.#last
    this.#last = now
    if (gap > pause) {
      this.#gaps = []
      return
    }
    this.#gaps.push(gap)
    if (this.#gaps.length < judged) return
    const late = this.#gaps.filter((one) => one > inTime).length
    this.#gaps = []
    // One late frame is an accident, more are a habit.
    if (late > 1 && this.fineness < 2) this.fineness = (this.fineness + 1) as Fineness
  }

  /** Other work for the card: it is tried anew. */
  reset(): void {
    this.fineness = 0
    this.#gaps = []
  }
}
