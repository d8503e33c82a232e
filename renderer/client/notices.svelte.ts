// What was done just now, said at the foot of the window for some seconds, with a way back where something was lost.

export type Notice = {
  id: number
  text: string
  /** Brings back what was lost. */
  undo: (() => void | Promise<void>) | null
}

const usual = 8

export class Notices {
  list = $state.raw<readonly Notice[]>([])
  #next = 1
  #timers = new Map<number, ReturnType<typeof setTimeout>>()
  #gone = new Map<number, () => void>()

  /**
   * `undo`: offered beside the text and by Ctrl+Z, as long as the notice stands. `gone`: called once it can no longer be undone.
   * `seconds`: how long it stands.
   */
  say(text: string, { undo = null, gone, seconds = usual }: Saying = {}): void {
    const id = this.#next++
    this.list = [...this.list, { id, text, undo }]
    if (gone) this.#gone.set(id, gone)
    this.#timers.set(
      id,
      setTimeout(() => this.dismiss(id), 1000 * seconds),
    )
    // Three are read, more are noise; what can be undone stays its time.
    const oldest = this.list.find((one) => one.undo === null)
    if (this.list.length > 3 && oldest) this.dismiss(oldest.id)
  }

  /** The newest that can be undone, or this one. False: there was none. */
  undo(id = this.list.findLast((one) => one.undo !== null)?.id): boolean {
    const notice = this.list.find((one) => one.id === id)
    if (!notice?.undo) return false
    this.#take(notice.id)
    void notice.undo()
    return true
  }

  dismiss(id: number): void {
    const gone = this.#gone.get(id)
    this.#take(id)
    gone?.()
  }

  #take(id: number): void {
    this.list = this.list.filter((one) => one.id !== id)
    clearTimeout(this.#timers.get(id))
    this.#timers.delete(id)
    this.#gone.delete(id)
  }
}

type Saying = { undo?: Notice['undo']; gone?: () => void; seconds?: number }

export const notices = new Notices()
