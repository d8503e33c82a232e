// What a run's models lost at every token of a text that the run was measured on: the packed model beside its original, or
// beside the packed model of another run on the same text.
//
// Positions count the tokens as the models read them, window after window. At a window's first tokens nothing is predicted
// (docs/PROTOCOL.md): losses there are NaN, `same_top` is 2. Losses and divergences are in nats.
import { z } from 'zod'
import { protocolSchema } from './evaluation.ts'
import { tokensSchema } from './records.ts'

/** Positions in one answer; a screen shows fewer. */
export const mostLosses = 16_384
export const mostWorst = 500
/** `same_top` where nothing is predicted, or where it is not known. */
export const notPredicted = 2

/** What is worst: the highest loss above the other model's, the highest divergence from it, or the highest loss. */
export const worstOrders = ['difference', 'kld', 'loss'] as const

export const tokenLossesRequestSchema = z.object({
  /** A finished run. */
  id: z.int().min(1),
  /** Place in its report's `perplexity`, from 0. */
  text: z.int().min(0).max(1000),
  /** Another run, measured on the same tokens in the same way, in place of the original. */
  against: z.int().min(1).nullable().default(null),
  /** The first position wanted. */
  from: z.int().min(0),
  /** Fewer come where the text ends; 0: only totals and worst places. */
  count: z.int().min(0).max(mostLosses),
  worst: z.int().min(0).max(mostWorst).default(50),
  order: z.enum(worstOrders).default('difference'),
})
export type TokenLossesRequest = z.input<typeof tokenLossesRequestSchema>

/** Means over predicted tokens. Null beside another run: its predictions were not compared with this one's. */
const meansSchema = z.object({
  tokens: z.int(),
  loss: z.number(),
  other_loss: z.number(),
  kld: z.number().nullable(),
  same_top: z.number().nullable(),
})
export type LossMeans = z.infer<typeof meansSchema>

export const worstTokenSchema = z.object({
  position: z.int(),
  token: z.int(),
  /** The text of this token, and of some tokens before and after it in its window. */
  text: z.string(),
  before: z.string(),
  after: z.string(),
  loss: z.number(),
  other_loss: z.number(),
  kld: z.number().nullable(),
  same_top: z.boolean().nullable(),
})
export type WorstToken = z.infer<typeof worstTokenSchema>

const floats = z.instanceof(Float32Array)

export const tokenLossesSchema = z.object({
  text: tokensSchema,
  protocol: protocolSchema,
  windows: z.int(),
  /** Tokens of a window. */
  window: z.int(),
  /** The first tokens of every window that are not predicted. */
  unpredicted: z.int(),
  /** Positions in all: windows * window. */
  positions: z.int(),
  totals: meansSchema,
  /** From the worst on. */
  worst: z.array(worstTokenSchema),
  /** By their means, from the worst on. */
  worst_windows: z.array(meansSchema.extend({ place: z.int(), from: z.int() })),
  /** The wanted positions, from `from` on; all of these have the same length. */
  from: z.int(),
  tokens: z.instanceof(Uint32Array),
  /**
   * The text of each token, together the text: whole characters, so that of several tokens of one character the last has it.
   * Special tokens have '', where the tokenizer is missing all have.
   */
  pieces: z.array(z.string()),
  losses: floats,
  /** Of the original, or of the run that this one is held against. */
  other_losses: floats,
  /** Of this model's predictions from the original's; null beside another run. */
  kld: floats.nullable(),
  /** 1 where both think the same next token most likely; null beside another run. */
  same_top: z.instanceof(Uint8Array).nullable(),
})
export type TokenLosses = z.infer<typeof tokenLossesSchema>
