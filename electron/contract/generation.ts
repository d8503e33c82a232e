// Text from a model: what is asked for, what comes back piece by piece, and what it took.
import { z } from 'zod'
import { deviceWishSchema, processor } from './devices.ts'
import { generationEnds } from './worker.ts'

/** How the next token is drawn (docs/PROTOCOL.md): one seed draws the same numbers for every model. */
export const samplingSchema = z.object({
  /** 0: always the most probable token. */
  temperature: z.number().min(0).max(100).default(0.8),
  /** Of so many of the most probable ones; 0: of all. */
  top_k: z.int().min(0).max(1_000_000).default(40),
  /** Of the most probable ones that have this probability together; 1: of all. */
  top_p: z.number().gt(0).max(1).default(0.95),
  seed: z
    .int()
    .min(0)
    .max(2 ** 53 - 1)
    .default(1),
})
export type Sampling = z.infer<typeof samplingSchema>
export const standardSampling: Sampling = samplingSchema.parse({})

export const roles = ['system', 'user', 'assistant'] as const
export const messageSchema = z.object({ role: z.enum(roles), content: z.string().max(1_000_000) })
export type Message = z.infer<typeof messageSchema>

/** Models that are kept open to answer; more wait for none, they are refused. */
export const mostOpenModels = 4

export const textRequestSchema = z.object({
  /** A model folder (original or packed), or a run's folder. */
  model: z.string().min(1),
  /** A text to be continued ('': from the beginning of a text), or a conversation to be answered. */
  prompt: z.union([z.string().max(1_000_000), z.array(messageSchema).min(1).max(10_000)]),
  max_tokens: z.int().min(1).max(1_000_000).default(256),
  /** The text ends before the first of these. */
  stop: z.array(z.string().min(1).max(1000)).max(16).default([]),
  ...samplingSchema.shape,
  /** Tokens of prompt and answer that the model keeps; 0: its context, at most 4096. */
  context: z.int().min(0).max(1_000_000).default(0),
  threads: z.int().min(0).max(4096).default(0),
  /** Where it computes: the processor where it is not said. */
  device: deviceWishSchema.default(processor),
})

/** A token and the text that it brought: whole characters, so that of several tokens of one character the last has it. */
export type TextPiece = { id: number; text: string }

/** What is told of a text while it comes. */
export type TextNews =
  /** `tokenizer`: the same for models whose tokens can be compared. */
  { kind: 'begun'; tokenizer: string; prompt_tokens: number } | { kind: 'pieces'; pieces: TextPiece[] }

/** `stop`: one of the stop texts, or a token that ends a text. */
export const textEnds = ['stop', ...generationEnds.filter((one) => one !== 'stop_token')] as const
export type TextEnd = (typeof textEnds)[number]

export const textAnswerSchema = z.object({
  model: z.string(),
  packed: z.boolean(),
  /** SHA-256 of tokenizer.json. */
  tokenizer: z.string(),
  text: z.string(),
  reason: z.enum(textEnds),
  tokens: z.int(),
  prompt_tokens: z.int(),
  /** Of the prompt, that the model still had from before. */
  reused_tokens: z.int(),
  /** Of the cache. */
  context: z.int(),
  /** To open the model; null where it was still open. */
  open_seconds: z.number().nullable(),
  /** From the request to the first token; null without one. */
  first_token_seconds: z.number().nullable(),
  /** Of the tokens after the first. */
  seconds: z.number(),
  resident_bytes: z.number(),
})
export type TextAnswer = z.infer<typeof textAnswerSchema>

/** Of the tokens after the first; null where there is none. */
export const tokensPerSecond = ({ tokens, seconds }: Pick<TextAnswer, 'tokens' | 'seconds'>): number | null =>
  tokens > 1 && seconds > 0 ? (tokens - 1) / seconds : null
