// What a model is given to read: the tokens of a text, or of a conversation in the model's own form.
import { Template } from '@huggingface/jinja'
import { failure, success, type Result } from '../contract/errors.ts'
import type { Message } from '../contract/generation.ts'
import type { Note } from '../contract/records.ts'
import type { Tokenizer } from '../models/tokenizer.ts'
import type { Specials } from './specials.ts'

export type Prompt = {
  tokens: number[]
  /** Texts that end an answer besides those that were asked for. */
  stop: string[]
  notes: Note[]
}

export function promptOf(
  prompt: string | readonly Message[],
  tokenizer: Pick<Tokenizer, 'encode' | 'encodeBare'>,
  specials: Specials,
): Result<Prompt> {
  if (typeof prompt === 'string') return ofText(prompt, tokenizer, specials)
  if (specials.template === null) {
    const plain = ofText(plainConversation(prompt), tokenizer, specials)
    if (!plain.ok) return plain
    return success({ ...plain.value, stop: [`\n${speakers.user}:`], notes: [withoutTemplate] })
  }
  const text = rendered(prompt, specials.template, specials.named)
  if (!text.ok) return text
  // A template names all its special tokens, BOS among them.
  const ids = tokenizer.encodeBare(text.value)
  return ids.ok ? success({ tokens: [...ids.value], stop: [], notes: [] }) : ids
}

function ofText(text: string, { encode }: Pick<Tokenizer, 'encode'>, { begin }: Specials): Result<Prompt> {
  const ids = encode(text)
  if (!ids.ok) return ids
  const tokens = ids.value.length > 0 ? [...ids.value] : begin === null ? [] : [begin]
  if (tokens.length > 0) return success({ tokens, stop: [], notes: [] })
  return failure('option_invalid', 'The model has no token that begins a text: give a prompt.')
}

const speakers = { system: 'System', user: 'User', assistant: 'Assistant' } as const
const withoutTemplate: Note = {
  code: 'chat_template_missing',
  message: 'The model has no chat template: it was not made for conversations. It reads this one as plain text.',
}

const plainConversation = (messages: readonly Message[]): string =>
  [...messages.map(({ role, content }) => `${speakers[role]}: ${content}`), `${speakers.assistant}:`].join('\n')

/** As `apply_chat_template` of transformers does, with the beginning of the answer. */
function rendered(messages: readonly Message[], template: string, named: Record<string, string>): Result<string> {
  try {
    return success(new Template(template).render({ messages, add_generation_prompt: true, ...named }))
  } catch (error) {
    return failure(
      'chat_template_broken',
      `The chat template of the model cannot be used: ${(error as Error).message.split('\n')[0]}`,
    )
  }
}
