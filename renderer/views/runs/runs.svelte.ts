// The run that is looked at: everything that is known of it, and what can be done with it.
import type { FileBytes, LayerReport, Linear, LinearBytes, RunReport } from '../../../electron/contract/records.ts'
import { automatic, type Card } from '../../../electron/contract/devices.ts'
import type { Problem } from '../../../electron/contract/errors.ts'
import type { Forecast } from '../../../electron/contract/forecast.ts'
import type { RunDetails, RunSummary } from '../../../electron/contract/history.ts'
import type { Recipe } from '../../../electron/contract/recipe.ts'
import type { WindowContract, WindowRequest } from '../../../electron/contract/window.ts'
import { ask } from '../../client/client.ts'
import { rebuilt, type Live } from '../../client/live.ts'
import { navigation } from '../../client/navigation.svelte.ts'
import { deleteRuns } from '../../client/run-actions.ts'
import { runs } from '../../client/runs.svelte.ts'
import { saveFile } from '../../client/saving.ts'
import { settings } from '../../client/settings.svelte.ts'
import { csvBytes, fileName } from '../../drawing/csv.ts'
import { layersTable } from './layers-table.ts'

/** Of a model folder: the window asks once. */
const shapes = new Map<string, readonly Linear[]>()

export class RunPage {
  /** Changes together with what is known of it, so that nothing is drawn twice. */
  run = $state.raw<RunSummary | null>(null)
  /** It is at work in this program. */
  here = $state(false)
  details = $state.raw<RunDetails | null>(null)
  report = $state.raw<RunReport | null>(null)
  bytes = $state.raw<FileBytes | null>(null)
  linearBytes = $state.raw<LinearBytes | null>(null)
  forecast = $state.raw<Forecast | null>(null)
  /** Where a run that ended could go on; null until somebody looks. */
  cards = $state.raw<readonly Card[] | null>(null)
  /** All linears of the model; null where the folder is gone. */
  linears = $state.raw<readonly Linear[] | null>(null)
  /** From the lines in the run's folder. */
  told = $state.raw<Live | null>(null)
  /** What could not be read of the run. */
  problem = $state.raw<Problem | null>(null)
  /** What could not be done with it. */
  refusal = $state.raw<Problem | null>(null)
  /** What was asked of the run at work. */
  asked = $state<'stop' | 'cancel' | null>(null)
  busy = $state(false)
  /** The results sheet has just gone to the clipboard. */
  copied = $state(false)
  #copies = 0
  #turn = 0

  /** Asks for what is shown of a run in its state. What comes late, for another run, is dropped. */
  async load(run: RunSummary, here: boolean): Promise<void> {
    const turn = ++this.#turn
    const active = here || run.status === 'running' || run.status === 'queued'
    const same = run.id === this.run?.id && run.status === this.run.status && here === this.here
    if (same || active) this.#show(run, here)
    // What has ended stays as it is.
    if (same && !active && this.problem === null) return
    const [details, files, linears] = await Promise.all([
      ask('run', { id: run.id }),
      this.#files(run, here),
      run.status === 'finished' ? null : this.#shape(run),
    ])
    if (turn !== this.#turn) return
    this.#show(run, here)
    this.details = details.value
    Object.assign(this, files)
    this.linears = linears
    this.problem = details.problem ?? files.problem
    if (active && this.forecast === null) await this.#foresee(run)
  }

  #show(run: RunSummary, here: boolean): void {
    if (run.id !== this.run?.id) {
      this.details = this.report = this.bytes = this.linearBytes = this.forecast = this.linears = this.told = null
      this.problem = this.refusal = null
    }
    if (run.id !== this.run?.id || run.status !== this.run.status) this.asked = null
    this.run = run
    this.here = here
  }

  /** What lies in the run's folder. */
  async #files(
    { id, status, folder, recipe }: RunSummary,
    here: boolean,
  ): Promise<Pick<RunPage, 'report' | 'bytes' | 'told' | 'problem'>> {
    const nothing = { value: null, problem: null }
    const [events, report, bytes] = await Promise.all([
      here || status === 'queued' || folder === null ? nothing : ask('runEvents', { id }),
      status !== 'finished' || folder === null ? nothing : ask('report', { id }),
      status !== 'finished' || folder === null ? nothing : ask('bytes', { id }),
    ])
    return {
      report: report.value,
      bytes: bytes.value,
      told: events.value && rebuilt(events.value, recipe.evaluations, performance.now()),
      problem: report.problem ?? bytes.problem,
    }
  }

  async #foresee({ id, recipe, device: wish }: RunSummary): Promise<void> {
    if (recipe.model === undefined) return
    // The workbench checks the recipe: of a method that it does not know there is no forecast.
    const asked = { model: recipe.model, recipe: recipe as Recipe }
    // A card takes another time than the processor.
    const placed = wish === automatic ? await ask('placement', { ...asked, device: wish }) : null
    const device = placed?.value?.device ?? wish
    const { value } = await ask('forecast', { ...asked, threads: settings.now.threads, device })
    if (id === this.run?.id) this.forecast = value
  }

  /** For the cards on which a run could go on. */
  async lookForCards(): Promise<void> {
    this.cards = (await ask('cards', {})).value?.devices ?? []
  }

  async #shape({ recipe: { model } }: RunSummary): Promise<readonly Linear[] | null> {
    if (model === undefined) return null
    const linears = shapes.get(model) ?? (await ask('inspect', { folder: model })).value?.linears
    if (linears) shapes.set(model, linears)
    return linears ?? null
  }

  async #do<C extends keyof WindowContract>(call: C, request: WindowRequest<C>): Promise<boolean> {
    this.busy = true
    const { problem } = await ask(call, request)
    this.refusal = problem
    await runs.refresh()
    this.busy = false
    return problem === null
  }

  async stop(id: number): Promise<void> {
    this.asked = 'stop'
    if (!(await this.#do('stopRun', { id }))) this.asked = null
  }

  async cancel(id: number): Promise<void> {
    this.asked = 'cancel'
    if (!(await this.#do('cancelRun', { id }))) this.asked = null
  }

  /** `device`: where it is to go on, whatever made its finished layers; without it where it was. */
  resume = (id: number, device?: string) =>
    this.#do('resumeRun', { id, threads: settings.now.threads, ...(device === undefined ? {} : { device }) })

  rename = (id: number, name: string) => this.#do('renameRun', { id, name })
  move = (id: number, before: number | null) => this.#do('moveRun', { id, before })
  show = (id: number) => this.#do('showRun', { id })

  /** Cut by linear; asked for where it is looked at. */
  async loadLinearBytes(id: number): Promise<void> {
    if (this.linearBytes !== null) return
    const { value, problem } = await ask('linearBytes', { id })
    if (id !== this.run?.id) return
    this.linearBytes = value
    if (problem) this.problem = problem
  }

  async saveLayers(name: string, reports: readonly LayerReport[]): Promise<void> {
    await saveFile(fileName(`${name} layers`, 'csv'), csvBytes(layersTable(reports)))
  }

  /** The results sheet goes to the clipboard. */
  async copySheet(id: number): Promise<void> {
    const { value, problem } = await ask('sheet', { id })
    const copy = value === null ? { problem } : await ask('copyText', { text: value.markdown })
    this.refusal = copy.problem
    if (copy.problem) return
    this.copied = true
    const mine = ++this.#copies
    setTimeout(() => {
      if (this.#copies === mine) this.copied = false
    }, 2000)
  }

  /** `next`: what is looked at afterwards. */
  async remove(id: number, next: number | undefined): Promise<void> {
    const deleted = await deleteRuns([id])
    if (deleted.includes(id)) navigation.go('runs', next === undefined ? {} : { run: next })
  }
}
