// Seconds that go by one after the other, whatever is heard in between.
import { nextEnd } from './standing.ts'

export class Countdown {
  /** By `performance.now()`; kept up once a second. */
  now = $state(performance.now())
  left = $state<number | null>(null)
  #end: number | null = null

  /** An effect: call it in one. */
  run(): () => void {
    const timer = setInterval(() => this.tick(), 1000)
    return () => clearInterval(timer)
  }

  tick(): void {
    this.now = performance.now()
    this.left = this.#end === null ? null : Math.max(0, (this.#end - this.now) / 1000)
  }

  /** What is known now: seconds left, or null. */
  set(left: number | null): void {
    const now = performance.now()
    this.#end = left === null ? null : nextEnd(this.#end, now + 1000 * left, now)
    if (this.left === null || left === null) this.tick()
  }
}
