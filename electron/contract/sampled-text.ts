// A look at what a run will be calibrated on: one of the windows that it takes of its text.
import { z } from 'zod'
import { calibrationSchema } from './recipe.ts'

export const sampledTextRequestSchema = z.object({
  model: z.string().min(1),
  calibration: calibrationSchema,
  /** From 0; past the last one: the last one. */
  window: z.int().min(0).default(0),
})

export const sampledTextSchema = z.object({
  /** How many the run takes, each of `length` tokens. */
  windows: z.int().min(1),
  length: z.int().min(1),
  /** Tokens of the whole text, or of all windows where documents are drawn. */
  tokens: z.int().min(1),
  window: z.int().min(0),
  /** The window's first token: in its document where documents are drawn, else in the text. */
  start: z.int().min(0),
  /** From 0, in the order of the file; null where no documents are drawn. */
  document: z.int().min(0).nullable(),
  ids: z.array(z.int().min(0)),
  /** Of the ids, without special tokens; a character that the window cuts is U+FFFD. */
  text: z.string(),
})
export type SampledText = z.infer<typeof sampledTextSchema>
