// The models that can be quantized, and folders that were tried and cannot.
import type { ModelCard } from '../../../electron/contract/api.ts'
import type { Problem } from '../../../electron/contract/errors.ts'
import { ask, pathOf } from '../../client/client.ts'
import { navigation } from '../../client/navigation.svelte.ts'

export class Models {
  /** Null until the first answer. */
  cards = $state.raw<ModelCard[] | null>(null)
  problem = $state.raw<Problem | null>(null)
  /** What is being looked through. */
  looking = $state<string | null>(null)
  /** Of the last folder that was added: what to say about it. */
  added = $state<string | null>(null)

  chosen = $derived.by((): ModelCard | null => {
    const { cards } = this
    return cards?.find(({ folder }) => folder === navigation.here.model) ?? cards?.[0] ?? null
  })

  async load(): Promise<void> {
    const { value, problem } = await ask('library', {})
    this.problem = problem
    // Folders that cannot be used are not kept anywhere: they stay while the window shows them.
    if (value) this.cards = [...value, ...this.#unusable(value)]
    else this.cards ??= []
  }

  async browse(): Promise<void> {
    const { value } = await ask('chooseFolder', { title: 'A model folder, or one with models in it' })
    if (value !== null) await this.add(value)
  }

  async drop(files: readonly File[]): Promise<void> {
    for (const file of files) await this.add(pathOf(file))
  }

  async add(folder: string): Promise<void> {
    this.looking = folder
    this.added = null
    const { value, problem } = await ask('addModels', { folder })
    this.looking = null
    this.problem = problem
    if (!value) return
    const others = (this.cards ?? []).filter((card) => !value.some((one) => one.folder === card.folder))
    this.cards = [...others, ...value]
    this.choose(value[0]!)
    this.added = said(value)
    await this.load()
  }

  choose({ folder }: ModelCard): void {
    navigation.show({ model: folder })
  }

  async forget(card: ModelCard): Promise<void> {
    if (card.id !== null) await ask('forgetModel', { id: card.id })
    this.cards = (this.cards ?? []).filter((one) => one !== card)
    await this.load()
  }

  /** At a linear, in the layer lab. */
  look({ folder }: ModelCard, linear: string): void {
    navigation.go('lab', { model: folder, linear })
  }

  quantize({ folder }: ModelCard): void {
    navigation.go('recipe', { model: folder })
  }

  #unusable(known: readonly ModelCard[]): ModelCard[] {
    return (this.cards ?? []).filter(({ id, folder }) => id === null && !known.some((one) => one.folder === folder))
  }
}

/** One sentence about the folders that were found. */
export function said(cards: readonly ModelCard[]): string {
  const usable = cards.filter(({ problem }) => problem === null).length
  const models = (n: number) => `${n} ${n === 1 ? 'model' : 'models'}`
  if (usable === cards.length) return `${models(usable)} added.`
  if (usable === 0)
    return cards.length === 1 ? 'This model cannot be used.' : `None of ${models(cards.length)} can be used.`
  return `${models(usable)} added, ${cards.length - usable} cannot be used.`
}
