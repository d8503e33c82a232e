// A packed folder that was made elsewhere becomes a run: chosen or dropped, checked, shown.
import type { Problem } from '../../../electron/contract/errors.ts'
import { lastPart } from '../../../electron/contract/run-name.ts'
import { ask as askWindow, pathOf } from '../../client/client.ts'
import { navigation } from '../../client/navigation.svelte.ts'
import { runs } from '../../client/runs.svelte.ts'

export class Importing {
  /** What is being checked and copied. */
  folder = $state<string | null>(null)
  problem = $state.raw<Problem | null>(null)
  /** What is worth saying of the last one. */
  said = $state('')
  #ask: typeof askWindow

  constructor(ask: typeof askWindow = askWindow) {
    this.#ask = ask
  }

  async browse(): Promise<void> {
    const { value, problem } = await this.#ask('chooseFolder', { title: 'Import a packed folder' })
    this.problem = problem
    if (value) await this.take(value)
  }

  async drop(files: readonly File[]): Promise<void> {
    for (const file of files) await this.take(pathOf(file))
  }

  async take(folder: string): Promise<void> {
    if (this.folder !== null) return
    ;[this.folder, this.problem, this.said] = [folder, null, '']
    const { value, problem } = await this.#ask('import', { folder })
    await runs.refresh()
    ;[this.folder, this.problem] = [null, problem]
    if (value === null) return
    const name = runs.get(value.id)?.name ?? lastPart(folder)
    this.said = value.known ? `${name} was a run already.` : `${name} is a run now: every hash in it was checked.`
    navigation.show({ run: value.id })
  }
}

export const importing = new Importing()
