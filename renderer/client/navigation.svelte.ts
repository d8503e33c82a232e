// Where the window is: a view and what it shows there. Kept in the settings, so that tomorrow begins where today ended.
import type { Place } from '../../electron/contract/settings.ts'
import { ask } from './client.ts'

export const viewNames = ['models', 'recipe', 'runs', 'layers', 'lab', 'compare', 'prompt', 'settings'] as const
/** Views that are reached from others, about something that is shown there. */
const innerNames = ['tokens'] as const
export type ViewName = (typeof viewNames)[number] | (typeof innerNames)[number]
export type Here = Omit<Place, 'view'> & { view: ViewName }

const isView = (name: string): name is ViewName => ([...viewNames, ...innerNames] as readonly string[]).includes(name)

class Navigation {
  here = $state.raw<Here>({ view: 'models' })
  #past: Here[] = []
  /** What each view showed last: going there without saying what comes back to it. */
  #last = new Map<ViewName, Here>()

  go(view: ViewName, what?: Omit<Place, 'view'>): void {
    const next = what ? { ...what, view } : (this.#last.get(view) ?? { view })
    this.#past.push(this.here)
    this.#show(next)
  }

  /** The same view, showing something else of it. */
  show(what: Omit<Place, 'view'>): void {
    this.#show({ ...this.here, ...what })
  }

  back(): void {
    const before = this.#past.pop()
    if (before) this.#show(before)
  }

  restore(place: Place | null): void {
    if (place && isView(place.view)) this.here = { ...place, view: place.view }
    this.#last.set(this.here.view, this.here)
  }

  #show(next: Here): void {
    this.here = next
    this.#last.set(next.view, next)
    void ask('changeSettings', { place: next })
  }
}

export const navigation = new Navigation()
