// The export of a run: what is chosen, how far it is, what came of it.
import type { Answer } from '../../../electron/contract/api.ts'
import type { Problem } from '../../../electron/contract/errors.ts'
import { exportFormat, type ExportFormat } from '../../../electron/contract/exports.ts'
import type { ExportRow } from '../../../electron/contract/history.ts'
import type { WindowEvent } from '../../../electron/contract/window.ts'
import { ask as askWindow, listen as listenToWindow } from '../../client/client.ts'
import { formatTitle, suggestedName } from './export-words.ts'

type Standing = Extract<WindowEvent, { kind: 'exporting' }>

export class Exporting {
  /** Whether the panel is there. */
  open = $state(false)
  format = $state<ExportFormat>('gguf')
  type = $state<string | null>(exportFormat('gguf').types[0] ?? null)
  /** Of one file, in GB; 0: as the model has them. */
  shard = $state(0)
  /** The run that is being exported. */
  run = $state<number | null>(null)
  standing = $state.raw<Standing | null>(null)
  /** Of the last export, by run. */
  results = $state.raw<ReadonlyMap<number, Answer<'export'>>>(new Map())
  problem = $state.raw<{ run: number; problem: Problem } | null>(null)
  /** What the history has of this run. */
  earlier = $state.raw<{ run: number; exports: readonly ExportRow[] } | null>(null)
  #ask: typeof askWindow
  #listening = false
  #listen: typeof listenToWindow

  constructor(ask: typeof askWindow = askWindow, listen: typeof listenToWindow = listenToWindow) {
    this.#ask = ask
    this.#listen = listen
  }

  choose(format: ExportFormat): void {
    this.format = format
    const { types } = exportFormat(format)
    if (this.type === null || !types.includes(this.type)) this.type = types[0] ?? null
  }

  /** Asks where to, and writes there. */
  async start(run: number, name: string): Promise<void> {
    if (this.run !== null) return
    if (!this.#listening) this.#listen((event) => this.#hear(event))
    this.#listening = true
    const { format, type } = this
    const { folder } = exportFormat(format)
    const suggested = suggestedName(name, format, type)
    const place = await this.#ask('chooseOutput', { title: `Export as ${formatTitle(format)}`, suggested, folder })
    if (place.problem) this.problem = { run, problem: place.problem }
    const output = place.value
    if (!output) return
    ;[this.run, this.standing, this.problem] = [run, null, null]
    const shard_bytes = folder && format !== 'packed' ? Math.round(this.shard * 1e9) : 0
    const { value, problem } = await this.#ask('startExport', { run, output, format, type, shard_bytes })
    this.run = null
    if (value) this.results = new Map(this.results).set(run, value)
    if (problem && problem.code !== 'cancelled') this.problem = { run, problem }
    await this.load(run)
  }

  async load(run: number): Promise<void> {
    const { value } = await this.#ask('run', { id: run })
    if (value) this.earlier = { run, exports: value.exports.toSorted((a, b) => b.created_at - a.created_at) }
  }

  cancel = () => this.#ask('cancelExport', {})

  async show(run: number, id: number): Promise<void> {
    const { problem } = await this.#ask('showExport', { run, id })
    if (problem) this.problem = { run, problem }
  }

  #hear(event: WindowEvent): void {
    if (event.kind === 'exporting' && event.run === this.run) this.standing = event
  }
}

export const exporting = new Exporting()
