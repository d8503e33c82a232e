// What can be set, and how the machine is.
import type { Check } from '../../../electron/contract/api.ts'
import type { Cache, CacheName } from '../../../electron/contract/caches.ts'
import type { Card, CardList } from '../../../electron/contract/devices.ts'
import type { Problem } from '../../../electron/contract/errors.ts'
import { ask } from '../../client/client.ts'
import { notices } from '../../client/notices.svelte.ts'
import { settings } from '../../client/settings.svelte.ts'
import { reportText, threadsOf, type About } from './report.ts'

const mostThreads = 4096
/** GB of a card; less holds no layer of a model that is worth a card. */
const leastLimit = 0.5

export class SettingsView {
  about = $state.raw<About | null>(null)
  checks = $state.raw<readonly Check[]>([])
  checking = $state(false)
  /** Null until the first answer. */
  cards = $state.raw<CardList | null>(null)
  /** Why the limit that stands in a field is not taken, by the card's uuid. */
  limitProblems = $state.raw<Readonly<Record<string, string>>>({})
  caches = $state.raw<readonly Cache[]>([])
  problem = $state.raw<Problem | null>(null)
  /** Why the number of threads that stands in the field is not taken. */
  threadsProblem = $state<string | undefined>()
  copied = $state<'report' | 'folder' | null>(null)
  #copies = 0

  threads = $derived(threadsOf(this.checks))

  async load(): Promise<void> {
    const [about, caches] = await Promise.all([ask('about', {}), ask('caches', {}), this.check(), this.#look()])
    this.about = about.value
    this.caches = caches.value ?? []
    this.problem ??= about.problem
  }

  async check(): Promise<void> {
    this.checking = true
    const { value, problem } = await ask('doctor', {})
    this.checking = false
    this.problem = problem
    if (value) this.checks = value.checks
  }

  /** For cards again: with other libraries, or after something was installed. */
  async #look(): Promise<void> {
    this.cards = (await ask('cards', {})).value
  }

  async checkAgain(): Promise<void> {
    await Promise.all([this.check(), this.#look()])
  }

  /** Bytes of a card that a run may use, typed in GB; null: what it has. */
  setLimit(card: Pick<Card, 'uuid' | 'memory_bytes'>, typed: number | null): void {
    const most = card.memory_bytes / 1e9
    const fits = typed === null || (typed >= leastLimit && typed <= most)
    const others = Object.entries(this.limitProblems).filter(([uuid]) => uuid !== card.uuid)
    const problem = `From ${leastLimit} to ${most.toFixed(1)}, or nothing.`
    this.limitProblems = Object.fromEntries(fits ? others : [...others, [card.uuid, problem]])
    if (!fits) return
    const limits = Object.entries(settings.now.deviceMemory).filter(([uuid]) => uuid !== card.uuid)
    if (typed !== null) limits.push([card.uuid, Math.round(typed * 1e9)])
    void settings.change({ deviceMemory: Object.fromEntries(limits) })
  }

  async chooseLibraries(): Promise<void> {
    const { value, problem } = await ask('chooseFolder', { title: 'Folder with cuBLAS and cuSOLVER' })
    this.problem = problem
    if (value !== null) await this.setLibraries(value)
  }

  /** '': the usual places. */
  async setLibraries(folder: string): Promise<void> {
    await settings.change({ deviceLibraries: folder })
    await this.checkAgain()
  }

  async empty(name: CacheName): Promise<void> {
    const { value, problem } = await ask('emptyCache', { name })
    this.problem = problem
    if (!value) return
    this.caches = this.caches.map((one) => (one.name === name ? value : one))
    notices.say('Emptied.')
  }

  setThreads(typed: number | null): void {
    const fits = typed !== null && Number.isInteger(typed) && typed >= 0 && typed <= mostThreads
    this.threadsProblem = fits ? undefined : `A whole number from 0 to ${mostThreads}.`
    if (fits) void settings.change({ threads: typed })
  }

  async copyReport(): Promise<void> {
    if (this.about) await this.#copy('report', reportText(this.about, this.checks, settings.now))
  }

  async copyFolder(): Promise<void> {
    if (this.about) await this.#copy('folder', this.about.data)
  }

  async #copy(what: 'report' | 'folder', text: string): Promise<void> {
    const { problem } = await ask('copyText', { text })
    this.problem = problem
    if (problem) return
    this.copied = what
    const mine = ++this.#copies
    setTimeout(() => {
      if (this.#copies === mine) this.copied = null
    }, 2000)
  }
}
