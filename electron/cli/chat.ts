// signum chat: a conversation with a model, line by line.
import type { Message, TextNews } from '../contract/generation.ts'
import type { Note } from '../contract/records.ts'
import { deviceFrom } from './device-options.ts'
import { numbersOf, textOf } from './generate.ts'
import { refusal, reply, unfinished, type Command, type Reply, type Task } from './command.ts'
import { modelPositional, samplingFrom, textOptions, textRequestFrom } from './text-options.ts'

const helpText = [
  '/reset            begins a new conversation',
  '/seed N           the next answer is drawn with this seed, each later one with the next number',
  '/temperature T    how freely answers are drawn; 0: always the most probable token',
  '/exit             ends the chat, as Ctrl-D does',
  'Ctrl-C            ends the answer under way, and without one the chat',
].join('\n')

export const chat: Command = {
  interrupt: 'own',
  spec: {
    name: 'chat',
    summary: 'Talk with a model, original or packed; every line is answered.',
    positionals: [modelPositional],
    options: [
      { name: 'system', value: 'TEXT', kind: 'text', help: 'What stands before the conversation.' },
      ...textOptions,
    ],
    notes: [
      'The conversation is put into the form of the chat template in the model folder (tokenizer_config.json or',
      'chat_template.jinja); a model without one reads it as plain text, and a note says so.',
      '',
      'While it lasts:',
      ...helpText.split('\n').map((line) => `  ${line}`),
    ],
  },

  async run(task) {
    const device = deviceFrom(task.values)
    if (!device.ok) return refusal(device.problem)
    const talk = new Talk(task)
    const { dialogue } = task
    let interrupt = () => undefined as void
    // An answer under way takes the first Ctrl-C for itself.
    const interrupted = new Promise<'interrupted'>((resolve) => {
      interrupt = () => (talk.halt() ? undefined : resolve('interrupted'))
    })
    const dispose = dialogue.onInterrupt(() => interrupt())
    const lines = dialogue.lines()
    try {
      if (dialogue.interactive) task.terminal.err('Every line is answered; /help says what else there is.\n')
      for (;;) {
        if (dialogue.interactive) task.terminal.err('> ')
        const next = await Promise.race([lines.next(), interrupted])
        if (next === 'interrupted' || next.done) break
        const reply = await talk.take(next.value)
        if (reply !== null) return reply
        if (talk.over) break
      }
      if (dialogue.interactive) task.terminal.err('\n')
      return reply(null, { messages: talk.messages })
    } finally {
      dispose()
      await lines.return?.()
    }
  },
}

class Talk {
  messages: Message[]
  over = false
  #task: Task
  #sampling
  #halt: AbortController | null = null
  /** What was said of every answer is said once. */
  #noted = new Set<string>()

  constructor(task: Task) {
    this.#task = task
    this.#sampling = samplingFrom(task.values)
    this.messages = this.#beginning()
  }

  #beginning(): Message[] {
    const system = this.#task.values.text('system')
    return system === undefined ? [] : [{ role: 'system', content: system }]
  }

  /** Whether there was an answer to end. */
  halt(): boolean {
    if (this.#halt === null || this.#halt.signal.aborted) return false
    this.#halt.abort()
    return true
  }

  /** A reply where the chat cannot go on. */
  async take(line: string): Promise<Reply | null> {
    const text = line.trim()
    if (text === '') return null
    if (text.startsWith('/')) {
      this.#command(text)
      return null
    }
    return this.#answer(text)
  }

  #command(text: string): void {
    const { err } = this.#task.terminal
    const [word, value = ''] = text.split(/\s+/)
    const number = value === '' ? Number.NaN : Number(value)
    if (word === '/exit' || word === '/quit') this.over = true
    else if (word === '/reset') {
      this.messages = this.#beginning()
      err('A new conversation.\n')
    } else if (word === '/seed' && Number.isSafeInteger(number) && number >= 0) this.#sampling.seed = number
    else if (word === '/temperature' && number >= 0 && number <= 100) this.#sampling.temperature = number
    else err(`${word === '/help' ? '' : `There is no ${text}.\n`}${helpText}\n`)
  }

  async #answer(content: string): Promise<Reply | null> {
    const { workbench, values, terminal, attention } = this.#task
    const shown = !values.flag('json')
    this.#halt = new AbortController()
    const asked: Message[] = [...this.messages, { role: 'user', content }]
    const request = { ...textRequestFrom(values), ...this.#sampling, prompt: asked }
    const onNote = (note: Note) => {
      if (this.#noted.has(note.code)) return
      this.#noted.add(note.code)
      attention.onNote?.(note)
    }
    const listener = { ...attention, onNote, cancel: this.#halt.signal }
    let begun = false
    const onText = (news: TextNews) => {
      const text = begun ? textOf(news) : textOf(news).trimStart()
      begun ||= text !== ''
      terminal.out(text)
    }
    const ending = await workbench.generate(request, shown ? { ...listener, onText } : listener)
    this.#halt = null
    if (ending.kind === 'failed' && ending.problem.code === 'context_too_long') {
      terminal.err(`${ending.problem.message} /reset begins a new conversation.\n`)
      return null
    }
    if (ending.kind === 'failed') return refusal(ending.problem)
    if (ending.kind !== 'finished') return this.messages.length === 0 ? unfinished(ending, null) : null
    const answer = ending.value
    if (shown) terminal.out('\n')
    terminal.err(`${numbersOf(answer)}\n`)
    this.messages = [...asked, { role: 'assistant', content: answer.text.trim() }]
    this.#sampling.seed++
    return null
  }
}
