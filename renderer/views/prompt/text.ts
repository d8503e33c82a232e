// All that is on the screen, to paste somewhere. Pure.
import { tokensPerSecond, type Sampling, type TextAnswer, type TextEnd } from '../../../electron/contract/generation.ts'
import { bits, size, spent } from '../../../electron/contract/quantities.ts'
import type { Source } from './source.ts'

export const endWords: Record<TextEnd, string> = {
  stop: 'ended by itself',
  length: 'as many as asked for',
  context: 'context is full',
  halted: 'stopped',
}

export const speedText = (answer: TextAnswer): string | null => {
  const speed = tokensPerSecond(answer)
  return speed === null ? null : speed.toFixed(speed < 9.95 ? 1 : 0)
}

/** 1.50 nominal, 1.71 linear, 5.02 file; null for an original. */
export function bitsText({ run }: Source): string | null {
  if (run === null) return null
  const { nominal_bits: nominal, linear_bits: linear, file_bits: file } = run
  const named = { nominal, linear, file }
  return Object.entries(named)
    .flatMap(([name, value]) => (value === null ? [] : [`${bits(value)} ${name}`]))
    .join(', ')
}

export function answerText(source: Source, answer: TextAnswer | null, text: string): string {
  const numbers = [
    source.bytes === null ? null : size(source.bytes),
    bitsText(source) === null ? null : `bits per weight ${bitsText(source)}`,
    answer && `${answer.tokens} tokens (${endWords[answer.reason]})`,
    answer && answer.first_token_seconds !== null ? `first token after ${spent(answer.first_token_seconds)}` : null,
    answer && speedText(answer) !== null ? `${speedText(answer)} tokens/s` : null,
  ].filter((one) => one !== null)
  return `${source.name}: ${numbers.join('; ')}\n${text.trim()}`
}

export function everythingText(
  prompt: string,
  { temperature, top_k, top_p, seed }: Sampling,
  answers: readonly string[],
): string {
  const how = `temperature ${temperature}, top-k ${top_k}, top-p ${top_p}, seed ${seed}`
  return [`Prompt (${how}):\n${prompt}`, ...answers].join('\n\n') + '\n'
}
