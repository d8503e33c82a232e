// What the charts beside the table show: which of them, between which axes, on which text. Kept from day to day.
import type { LayerReport } from '../../../../electron/contract/records.ts'
import { ask } from '../../../client/client.ts'
import { settings } from '../../../client/settings.svelte.ts'
import { measures, type Measure } from '../../../drawing/chart/error-by-depth.ts'
import { compare } from '../compare.svelte.ts'
import type { Row } from '../row.ts'
import { known, scales, xAxes, yAxes, type Scale, type XAxis, type YAxis } from './axes.ts'
import { everyKind } from './depth.ts'
import { everyModel, objection, publishedModels, publishedPoints } from './published.ts'
import { scatterOf } from './scatter.ts'

export const chartTabs = [
  { value: 'size', label: 'Size against quality' },
  { value: 'parallel', label: 'Parallel coordinates' },
  { value: 'depth', label: 'Error by depth' },
  { value: 'numbers', label: 'Numbers' },
  { value: 'recipes', label: 'Recipes' },
] as const
export type ChartTab = (typeof chartTabs)[number]['value']

/** Lines that can still be told apart. */
export const mostOverlaid = 20

const xNames = Object.keys(xAxes) as XAxis[]
const yNames = Object.keys(yAxes) as YAxis[]
const noPoints = 'none'

type Choice = 'tab' | 'x' | 'y' | 'scale' | 'published' | 'text' | 'colourBy' | 'depth' | 'kind' | 'against'

class Charts {
  #choice = <T extends string>(name: string, among: readonly T[], usual: T): T =>
    known(settings.now.charts[name] ?? '', among, usual)

  tab = $derived<ChartTab>(
    this.#choice(
      'tab',
      chartTabs.map(({ value }) => value),
      'size',
    ),
  )
  x = $derived<XAxis>(this.#choice('x', xNames, 'fileBytes'))
  y = $derived<YAxis>(this.#choice('y', yNames, 'perplexity'))
  scale = $derived<Scale>(this.#choice('scale', scales, 'auto'))
  /** A model of the papers, all of them, or none. */
  published = $derived(this.#choice('published', [noPoints, everyModel, ...publishedModels], noPoints))
  /** Of lines over parallel axes: run, method, or the column of a result. */
  colourBy = $derived(settings.now.charts['colourBy'] ?? 'method')
  /** Of error by depth: which error, of which kind of linear, as it is or against the baseline. */
  depth = $derived(this.#choice('depth', Object.keys(measures) as Measure[], 'relative_output_error'))
  kind = $derived(settings.now.charts['kind'] ?? everyKind)
  against = $derived(settings.now.charts['against'] === 'baseline')
  text = $derived(compare.texts.find(({ key }) => key === settings.now.charts['text']) ?? compare.texts[0] ?? null)

  scatter = $derived(scatterOf(compare.charted, { x: this.x, y: this.y, text: this.text?.key ?? '' }))
  objection = $derived(objection(this.x, this.y))
  publishedPoints = $derived(this.published === noPoints ? [] : publishedPoints(this.published, this.x, this.y))

  /** Chosen rows that finished, in the order of the table; none chosen: the one at hand. */
  overlaid = $derived.by((): Row[] => {
    const finished = compare.rows.filter(({ status }) => status === 'finished')
    const chosen = finished.filter(({ id }) => compare.chosen.has(id))
    const rows = chosen.length > 0 ? chosen : finished.filter(({ id }) => id === compare.active)
    return rows.slice(0, mostOverlaid)
  })

  /** What was measured of the linears, by run, as far as it was asked for. */
  reports = $state.raw<ReadonlyMap<number, readonly LayerReport[]>>(new Map())
  #asked = new Set<number>()

  choose(name: Choice, value: string): void {
    void settings.change({ charts: { ...settings.now.charts, [name]: value } })
  }

  /** A run that ended does not change: each is asked for once. */
  async loadReports(ids: readonly number[]): Promise<void> {
    const missing = ids.filter((id) => !this.#asked.has(id))
    for (const id of missing) this.#asked.add(id)
    const answers = await Promise.all(missing.map((id) => ask('run', { id })))
    const found = new Map(this.reports)
    missing.forEach((id, at) => {
      const { value } = answers[at]!
      if (value) found.set(id, value.layer_reports)
      else this.#asked.delete(id)
    })
    if (missing.length > 0) this.reports = found
  }
}

export const charts = new Charts()
