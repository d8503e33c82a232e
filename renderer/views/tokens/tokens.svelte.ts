// The controller of "Where it fails": the losses of a run at every token of a text, beside its original and other runs.
import type { Problem } from '../../../electron/contract/errors.ts'
import type { RunReport } from '../../../electron/contract/records.ts'
import {
  mostWorst,
  type LossMeans,
  type TokenLosses,
  type WorstToken,
  type worstOrders,
} from '../../../electron/contract/token-losses.ts'
import { ask as askWindow } from '../../client/client.ts'
import { csvBytes, type Table } from '../../drawing/csv.ts'
import * as tokens from './losses.ts'
import type { Beside, Losses } from './losses.ts'

export type Order = (typeof worstOrders)[number]
/** Positions in one answer: the first ones come soon, and others who ask are not kept waiting. */
const batch = 4096
/** Models beside the original that a screen has room for. */
export const mostBeside = 3

export class TokenView {
  run = $state.raw<number | null>(null)
  /** The texts that the run was measured on. */
  texts = $state.raw<RunReport['perplexity']>([])
  text = $state(0)
  /** Other runs whose losses are shown too. */
  besides = $state.raw<readonly number[]>([])
  /** The model that colours and differences are against. */
  against = $state.raw<Beside>('original')
  order = $state<Order>('difference')
  losses = $state.raw<Losses | null>(null)
  totals = $state.raw<LossMeans | null>(null)
  worst = $state.raw<readonly WorstToken[]>([])
  /** The position that is looked at; null: none yet. */
  current = $state.raw<number | null>(null)
  onlyWorse = $state(false)
  /** Nats: what counts as worse. */
  threshold = $state(0.5)
  loading = $state(false)
  problem = $state.raw<Problem | null>(null)

  #ask: typeof askWindow
  #turn = 0

  constructor(ask: typeof askWindow = askWindow) {
    this.#ask = ask
  }

  differences = $derived.by(() => (this.losses ? tokens.differencesOf(this.losses, this.against) : []))
  scale = $derived.by(() => tokens.scaleOf(this.differences))
  histogram = $derived.by(() => tokens.histogramOf(this.differences, this.scale))
  rows = $derived.by(() => {
    const { losses } = this
    return losses ? tokens.rowsOf({ positions: losses.loaded, window: losses.window }) : []
  })
  share = $derived.by(() => {
    const { losses } = this
    return losses === null ? null : losses.loaded / Math.max(1, losses.positions)
  })
  /** The place of the looked-at token among the worst, or -1. */
  rank = $derived.by(() => this.worst.findIndex(({ position }) => position === this.current))

  async open(run: number, other: number | undefined): Promise<void> {
    if (run === this.run && (other === undefined || this.besides.includes(other))) return
    const turn = ++this.#turn
    ;[this.run, this.text, this.texts, this.losses, this.worst, this.totals] = [run, 0, [], null, [], null]
    this.besides = other === undefined ? [] : [other]
    this.against = other ?? 'original'
    this.loading = true
    const { value, problem } = await this.#ask('report', { id: run })
    if (turn !== this.#turn) return
    this.problem = problem
    this.loading = false
    if (value === null) return
    this.texts = value.perplexity
    await this.#load()
  }

  setText(text: number): void {
    this.text = text
    void this.#load()
  }

  setOrder(order: Order): void {
    this.order = order
    void this.#readWorst()
  }

  setAgainst(against: Beside): void {
    this.against = against
    // Divergences are from the original only.
    if (against !== 'original' && this.order === 'kld') this.order = 'difference'
    void this.#readWorst()
  }

  add(run: number): void {
    if (run === this.run || this.besides.includes(run) || this.besides.length >= mostBeside) return
    this.besides = [...this.besides, run]
    void this.#read(run, this.#turn)
  }

  remove(run: number): void {
    this.besides = this.besides.filter((one) => one !== run)
    if (this.against === run) this.setAgainst('original')
  }

  /** To the next worst place, or the one before; round at the ends. */
  step(by: 1 | -1): void {
    const { length } = this.worst
    if (length === 0) return
    const next = this.rank < 0 ? (by > 0 ? 0 : length - 1) : (this.rank + by + length) % length
    this.current = this.worst[next]!.position
  }

  /** To another token: by so many from the one that is looked at. */
  move(by: number): void {
    const { losses } = this
    if (!losses) return
    this.current = Math.min(losses.loaded - 1, Math.max(0, (this.current ?? -by) + by))
  }

  difference(position: number): number {
    return this.losses ? tokens.differenceAt(this.losses, this.against, position) : Number.NaN
  }

  /** Whether a token is among those that are asked for. */
  counts(position: number): boolean {
    return !this.onlyWorse || this.difference(position) >= this.threshold
  }

  /** `nameOf`: what the columns of other runs are called. */
  table(nameOf: (run: number) => string): Table {
    const { losses, run } = this
    if (!losses || run === null) return { columns: [], rows: [] }
    const besides = [...losses.others.keys()].filter((one) => one === 'original' || this.besides.includes(one))
    const finite = (value: number | undefined) => (value !== undefined && Number.isFinite(value) ? value : null)
    const rows: Table['rows'] = Array.from({ length: losses.loaded }, (_, k) => k)
      .filter((k) => this.counts(k))
      .map((k) => [
        k,
        Math.floor(k / losses.window),
        losses.tokens[k]!,
        losses.pieces[k]!,
        finite(losses.losses[k]),
        ...besides.map((one) => finite(losses.others.get(one)![k])),
        finite(this.difference(k)),
        finite(losses.kld?.[k]),
        losses.sameTop && losses.sameTop[k]! < 2 ? losses.sameTop[k] === 1 : null,
      ])
    const models = [run, ...besides].map((one) => `loss of ${one === 'original' ? 'original' : nameOf(one)} (nats)`)
    const difference = `difference from ${this.against === 'original' ? 'original' : nameOf(this.against)} (nats)`
    const columns = ['position', 'window', 'token', 'text', ...models, difference, 'KLD from original (nats)']
    return { columns: [...columns, 'same top token as original'], rows }
  }

  async save(suggested: string, nameOf: (run: number) => string): Promise<void> {
    const { problem } = await this.#ask('saveFile', { suggested, bytes: csvBytes(this.table(nameOf)) })
    this.problem = problem
  }

  async #load(): Promise<void> {
    const turn = ++this.#turn
    ;[this.losses, this.current, this.worst, this.totals] = [null, null, [], null]
    this.loading = true
    const found = this.#readWorst()
    for (const beside of ['original', ...this.besides] as Beside[]) {
      await this.#read(beside, turn)
      if (turn !== this.#turn) return
    }
    await found
    if (turn === this.#turn) this.loading = false
  }

  /** The whole text, answer by answer: what has come is shown. */
  async #read(beside: Beside, turn: number): Promise<void> {
    let from = 0
    for (;;) {
      const answer = await this.#answer(beside, { from, count: batch, worst: 0 })
      if (turn !== this.#turn || answer === null) return
      this.losses = tokens.withAnswer(this.losses ?? tokens.fresh(answer), answer, beside)
      from += answer.tokens.length
      if (answer.tokens.length === 0 || from >= answer.positions) return
    }
  }

  async #readWorst(): Promise<void> {
    const [turn, against, order] = [this.#turn, this.against, this.order]
    const answer = await this.#answer(against, { from: 0, count: 0, worst: Math.min(200, mostWorst), order })
    if (turn !== this.#turn || against !== this.against || order !== this.order || answer === null) return
    ;[this.worst, this.totals] = [answer.worst, answer.totals]
    this.current ??= answer.worst[0]?.position ?? null
  }

  async #answer(
    beside: Beside,
    wanted: { from: number; count: number; worst: number; order?: Order },
  ): Promise<TokenLosses | null> {
    const against = beside === 'original' ? null : beside
    const { value, problem } = await this.#ask('tokenLosses', { id: this.run!, text: this.text, against, ...wanted })
    if (problem) this.problem = problem
    return value
  }
}

export const tokenView = new TokenView()
