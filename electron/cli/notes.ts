// What a person should know while a command runs. Of many notes of one kind the first is shown and the rest counted:
// reports keep them all.
import type { Note } from '../contract/records.ts'

export class Notes {
  #say: (text: string) => void
  #counts = new Map<string, number>()

  constructor(say: (text: string) => void) {
    this.#say = say
  }

  take({ code, message }: Note): void {
    const before = this.#counts.get(code) ?? 0
    this.#counts.set(code, before + 1)
    if (before === 0) this.#say(`note: ${code}: ${message}\n`)
  }

  end(): void {
    for (const [code, count] of this.#counts) {
      if (count > 1) this.#say(`note: ${code}: ${count - 1} more of this kind\n`)
    }
  }
}
