// What can be done in the window, by name: the command palette lists it. Whoever is on screen says what it offers.

export type Command = {
  /** Unique; a later source with the same one takes its place. */
  id: string
  /** What it does, beginning with a verb: "Export the run". */
  title: string
  /** The heading that it is listed under. */
  group: string
  /** As they are written on a keyboard: "Ctrl 1". */
  keys?: string
  /** Other words that it is found by. */
  words?: string
  run: () => void
}

class Commands {
  #sources: readonly (() => Command[])[] = []

  /** For an $effect: answers how to take them off again. */
  provide(source: () => Command[]): () => void {
    this.#sources = [...this.#sources, source]
    return () => (this.#sources = this.#sources.filter((one) => one !== source))
  }

  /** As they are now, what is on screen first. */
  get all(): Command[] {
    const found = this.#sources.toReversed().flatMap((source) => source())
    return [...new Map(found.toReversed().map((command) => [command.id, command])).values()].toReversed()
  }
}

export const commands = new Commands()
