// signum generate: a text from a model, as it comes; or many of them, into a file.
import { readFile } from 'node:fs/promises'
import type { Attention, Ending } from '../contract/api.ts'
import { exitCodes, failure, success, type Result } from '../contract/errors.ts'
import { tokensPerSecond, type TextAnswer, type TextNews } from '../contract/generation.ts'
import { count, spent } from '../contract/quantities.ts'
import { refusal, reply, unfinished, type Command, type Reply, type Task } from './command.ts'
import { deviceFrom } from './device-options.ts'
import type { Values } from './options.ts'
import { openSamples, type Samples } from './samples.ts'
import { modelPositional, samplingFrom, textOptions, textRequestFrom } from './text-options.ts'

export const generate: Command = {
  spec: {
    name: 'generate',
    summary: 'Let a model, original or packed, go on with a text.',
    positionals: [modelPositional],
    options: [
      { name: 'prompt', value: 'TEXT', kind: 'text', help: 'What the text begins with (default nothing).' },
      { name: 'prompt-file', value: 'FILE', kind: 'text', help: 'The same from a file, UTF-8.' },
      ...textOptions,
      {
        name: 'count',
        value: 'N',
        kind: 'integer',
        min: 1,
        help: 'So many texts, the first with the seed, each other one with the next number (default 1).',
      },
      {
        name: 'out',
        value: 'FILE',
        kind: 'text',
        help: 'Writes the texts there instead: with a blank line between them, into FILE.jsonl as one document a line.',
      },
    ],
    notes: ['A file of texts can be given as --calibration to signum quantize: a model calibrated on its own words.'],
  },

  async run(task) {
    const { values } = task
    const prompt = await promptFrom(values)
    if (!prompt.ok) return refusal(prompt.problem)
    const device = deviceFrom(values)
    if (!device.ok) return refusal(device.problem)
    const file = values.text('out')
    const samples = file === undefined ? null : await openSamples(file)
    if (samples !== null && !samples.ok) return refusal(samples.problem)
    const written = await write(task, prompt.value, samples?.value ?? null)
    if (written.exitCode === exitCodes.finished) await samples?.value.keep()
    else await samples?.value.drop()
    return written
  },
}

async function write(
  { workbench, values, terminal, attention }: Task,
  prompt: string,
  samples: Samples | null,
): Promise<Reply> {
  const sampling = samplingFrom(values)
  const texts: (TextAnswer & { seed: number })[] = []
  const shown = samples === null && !values.flag('json')
  const total = values.integer('count') ?? 1
  for (let i = 0; i < total; i++) {
    const seed = sampling.seed + i
    if (shown) terminal.out(`${i > 0 ? '\n' : ''}${prompt}`)
    const listener: Attention = shown ? { ...attention, onText: (news) => terminal.out(textOf(news)) } : attention
    const request = { ...textRequestFrom(values), ...sampling, seed, prompt }
    const ending = await workbench.generate(request, listener)
    if (shown) terminal.out('\n')
    const end = endOf(ending)
    if (end !== null) return end
    if (ending.kind !== 'finished') continue
    texts.push({ ...ending.value, seed })
    await samples?.add(prompt + ending.value.text)
    terminal.err(`${total > 1 ? `${i + 1} of ${total}: ` : ''}${numbersOf(ending.value)}\n`)
  }
  return reply(null, { prompt, ...sampling, texts })
}

/** Null for a text that came to its own end. */
function endOf(ending: Ending<TextAnswer>): Reply | null {
  if (ending.kind !== 'finished') return unfinished(ending, null)
  return ending.value.reason === 'halted' ? unfinished({ kind: 'cancelled' }, null) : null
}

export const textOf = (news: TextNews): string =>
  news.kind === 'pieces' ? news.pieces.map(({ text }) => text).join('') : ''

const ends: Record<TextAnswer['reason'], string> = {
  stop: 'ended by itself',
  length: 'as many as were asked for',
  context: 'the context is full',
  halted: 'stopped',
}

/** 256 tokens (as many as were asked for), first token after 12 ms, 410 tokens/s. */
export function numbersOf(answer: TextAnswer): string {
  const speed = tokensPerSecond(answer)
  return [
    `${count(answer.tokens)} ${answer.tokens === 1 ? 'token' : 'tokens'} (${ends[answer.reason]})`,
    ...(answer.first_token_seconds === null ? [] : [`first token after ${spent(answer.first_token_seconds)}`]),
    ...(speed === null ? [] : [`${speed.toFixed(speed < 10 ? 1 : 0)} tokens/s`]),
  ].join(', ')
}

async function promptFrom(values: Values): Promise<Result<string>> {
  const [text, file] = [values.text('prompt'), values.text('prompt-file')]
  if (text !== undefined && file !== undefined) {
    return failure('option_invalid', 'Give either --prompt or --prompt-file.')
  }
  if (file === undefined) return success(text ?? '')
  try {
    return success(new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file)))
  } catch (error) {
    return failure('text_unreadable', `The prompt ${file} cannot be read as a UTF-8 text.`, String(error))
  }
}
