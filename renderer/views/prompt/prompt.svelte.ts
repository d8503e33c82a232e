// One prompt and the models that answer it: which, how, and what has come so far.
import type { ModelCard } from '../../../electron/contract/api.ts'
import { processor, type CardList } from '../../../electron/contract/devices.ts'
import type { Problem } from '../../../electron/contract/errors.ts'
import {
  mostOpenModels,
  samplingSchema,
  standardSampling,
  textRequestSchema,
  type TextAnswer,
  type TextPiece,
} from '../../../electron/contract/generation.ts'
import type { WindowEvent } from '../../../electron/contract/window.ts'
import { ask as askWindow, listen as listenToWindow } from '../../client/client.ts'
import { runs } from '../../client/runs.svelte.ts'
import { settings } from '../../client/settings.svelte.ts'
import { beside, modelKey, runKey, sourcesOf, type Source } from './source.ts'
import { answerText, everythingText } from './text.ts'

/** `opening`: the model is read; `reading`: the prompt is. */
export type AnswerState = 'empty' | 'waiting' | 'opening' | 'reading' | 'writing' | 'done'
export type Answer = {
  state: AnswerState
  /** What was asked; the text goes on from it. */
  prompt: string
  pieces: readonly TextPiece[]
  /** Of the model; null before it is open. */
  tokenizer: string | null
  numbers: TextAnswer | null
  problem: Problem | null
}
const nothing: Answer = { state: 'empty', prompt: '', pieces: [], tokenizer: null, numbers: null, problem: null }

const fields = { ...samplingSchema.shape, max_tokens: textRequestSchema.shape.max_tokens }
export type FieldName = keyof typeof fields

export class Prompt {
  text = $state('Once upon a time')
  /** As typed; null where it is no number. */
  values = $state<Record<FieldName, number | null>>({ ...standardSampling, max_tokens: 128 })
  /** All models at once, or one after another, each with the whole processor. */
  together = $state(false)
  /** Where the models compute; the processor is always there. */
  device = $state(processor)
  cards = $state.raw<CardList['devices']>([])
  /** What is asked, from left to right. */
  keys = $state.raw<readonly string[]>([])
  working = $state(false)
  copied = $state(false)
  problem = $state.raw<Problem | null>(null)
  #models = $state.raw<ModelCard[] | null>(null)
  #answers = $state.raw<ReadonlyMap<string, Answer>>(new Map())
  /** Texts of the last start, by the id in their events. */
  #under = new Map<number, string>()
  /** Texts that have not ended. */
  #open = new Set<number>()
  #stopped = false
  #listening = false
  #ask: typeof askWindow
  #listen: typeof listenToWindow

  static #ids = 0

  constructor(ask: typeof askWindow = askWindow, listen: typeof listenToWindow = listenToWindow) {
    this.#ask = ask
    this.#listen = listen
  }

  loaded = $derived(this.#models !== null && runs.loaded)
  sources = $derived(sourcesOf(this.#models ?? [], runs.finished))
  columns = $derived(this.keys.flatMap((key) => this.sources.find((one) => one.key === key) ?? []))
  errors = $derived(
    Object.fromEntries(
      Object.entries(fields).flatMap(([name, schema]) => {
        const parsed = schema.safeParse(this.values[name as FieldName] ?? undefined)
        const typed = this.values[name as FieldName] !== null
        return parsed.success && typed ? [] : [[name, parsed.error?.issues[0]?.message ?? 'A number is wanted']]
      }),
    ) as Partial<Record<FieldName, string>>,
  )
  canStart = $derived(!this.working && this.columns.length > 0 && Object.keys(this.errors).length === 0)

  answerOf(key: string): Answer {
    return this.#answers.get(key) ?? nothing
  }

  /** `run`, `other`: what somebody came here with. */
  async open(run?: number, other?: number): Promise<void> {
    if (!this.#listening) this.#listen((event) => this.#hear(event))
    this.#listening = true
    void this.#ask('cards', {}).then(({ value }) => {
      this.cards = value?.devices ?? []
      // One that is gone by now.
      if (!this.cards.some(({ id }) => id === this.device)) this.device = processor
    })
    const { value, problem } = await this.#ask('library', {})
    this.problem = problem
    this.#models = value ?? []
    const wanted = [run, other].flatMap((id) => runs.get(id) ?? [])
    if (wanted.length > 1) this.put(wanted.map(({ id }) => runKey(id)))
    else if (wanted[0]) this.put(beside(wanted[0], this.sources))
    else if (this.columns.length === 0) this.#putUsual()
  }

  /** The newest run beside its original, or the first model alone. */
  #putUsual(): void {
    const [newest] = runs.finished
    const first = this.#models?.find(({ model, problem }) => model !== null && problem === null)
    if (newest) this.put(beside(newest, this.sources))
    else if (first) this.put([modelKey(first.folder)])
  }

  /** These, from left to right; what they answered before stays. */
  put(keys: readonly string[]): void {
    if (!this.working) this.keys = [...new Set(keys)].slice(0, mostOpenModels)
  }

  putRuns(ids: readonly number[]): void {
    this.put(ids.map(runKey))
  }

  choose(place: number, key: string): void {
    this.put(this.keys.with(place, key))
  }

  /** The first that is not asked yet. */
  add(): void {
    const next = this.sources.find(({ key }) => !this.keys.includes(key))
    if (next) this.put([...this.keys, next.key])
  }

  remove(key: string): void {
    this.put(this.keys.filter((one) => one !== key))
  }

  async start(): Promise<void> {
    if (!this.canStart) return
    ;[this.working, this.#stopped] = [true, false]
    const columns = this.columns
    this.#under.clear()
    this.#answers = new Map(columns.map(({ key }) => [key, { ...nothing, state: 'waiting', prompt: this.text }]))
    if (this.together) await Promise.all(columns.map((one) => this.#write(one)))
    else for (const one of columns) await this.#write(one)
    this.working = false
  }

  stop(): void {
    this.#stopped = true
    for (const id of this.#open) void this.#ask('stopText', { id })
  }

  async #write({ key, folder }: Source): Promise<void> {
    if (this.#stopped) return this.#set(key, { state: 'empty' })
    const id = ++Prompt.#ids
    this.#under.set(id, key)
    this.#open.add(id)
    this.#set(key, { state: 'opening' })
    const values = this.values as Record<FieldName, number>
    const asked = { id, model: folder, prompt: this.answerOf(key).prompt, device: this.device }
    const request = { ...values, ...asked, threads: settings.now.threads }
    const { value, problem } = await this.#ask('startText', request)
    this.#open.delete(id)
    // A stop before the model was open is nobody's mistake.
    this.#set(key, { state: 'done', numbers: value, problem: problem?.code === 'cancelled' ? null : problem })
  }

  #hear(event: WindowEvent): void {
    const key = event.kind === 'text' ? this.#under.get(event.id) : undefined
    if (event.kind !== 'text' || key === undefined) return
    const { news } = event
    if (news.kind === 'begun') this.#set(key, { state: 'reading', tokenizer: news.tokenizer })
    else {
      const { state, pieces } = this.answerOf(key)
      // The last pieces may come after the answer: two ways lead here from the main process.
      this.#set(key, { state: state === 'done' ? state : 'writing', pieces: [...pieces, ...news.pieces] })
    }
  }

  #set(key: string, changes: Partial<Answer>): void {
    this.#answers = new Map(this.#answers).set(key, { ...this.answerOf(key), ...changes })
  }

  /** The tokens that this column's are held against; null for the first one, and where tokens mean other things. */
  firstFor(key: string): readonly TextPiece[] | null {
    const [first] = this.columns
    if (first === undefined || first.key === key) return null
    const [one, other] = [this.answerOf(first.key), this.answerOf(key)]
    return one.tokenizer !== null && one.tokenizer === other.tokenizer ? one.pieces : null
  }

  /** Other tokens than the first model's, so that nothing can be marked. */
  isForeign(key: string): boolean {
    const [one, other] = [this.answerOf(this.columns[0]?.key ?? ''), this.answerOf(key)]
    return one.tokenizer !== null && other.tokenizer !== null && one.tokenizer !== other.tokenizer
  }

  get written(): boolean {
    return this.columns.some(({ key }) => this.answerOf(key).pieces.length > 0)
  }

  async copy(): Promise<void> {
    const answered = this.columns.map((source) => ({ source, answer: this.answerOf(source.key) }))
    const { temperature, top_k, top_p, seed } = samplingSchema.parse(this.values)
    const text = everythingText(
      answered.find(({ answer }) => answer.state !== 'empty')?.answer.prompt ?? this.text,
      { temperature, top_k, top_p, seed },
      answered.map(({ source, answer }) =>
        answerText(source, answer.numbers, answer.pieces.map((piece) => piece.text).join('')),
      ),
    )
    const { problem } = await this.#ask('copyText', { text })
    this.problem = problem
    this.copied = problem === null
    setTimeout(() => (this.copied = false), 2000)
  }
}

export const prompt = new Prompt()
