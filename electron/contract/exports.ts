// What a model can be written as, and what comes back from it (docs/EXPORTS.md).
import { z } from 'zod'

/** What another program reads. */
type Format = {
  /** How its matrices may be stored, the usual way first; empty: the weights decide. */
  types: readonly string[]
  /** A folder, whose weights may be cut into files; else it is one file. */
  folder: boolean
}
const formats = {
  gguf: { types: ['f32', 'f16', 'bf16', 'fit', 'q8_0', 'q4_0'], folder: false },
  huggingface: { types: ['f32', 'f16', 'bf16'], folder: true },
  gptq: { types: [], folder: true },
  packed: { types: [], folder: true },
} as const satisfies Record<string, Format>
export type ExportFormat = keyof typeof formats
export const exportFormats = Object.keys(formats) as [ExportFormat, ...ExportFormat[]]
export const exportFormatSchema = z.enum(exportFormats)
export const exportFormat = (name: ExportFormat): Format => formats[name]

/** What stands in a worker's job beside model and output. A packed folder is copied, without a worker. */
export type ExportOptions =
  | { format: 'gguf'; type: (typeof formats)['gguf']['types'][number] }
  | { format: 'huggingface'; type: (typeof formats)['huggingface']['types'][number]; shard_bytes: number }
  | { format: 'gptq'; shard_bytes: number }

export const exportedFileSchema = z.object({
  /** In the output folder; of a format of one file, the file's own. */
  name: z.string(),
  bytes: z.number(),
  sha256: z.string(),
})
export type ExportedFile = z.infer<typeof exportedFileSchema>

/** What a type adds to what the model decodes to. */
const roundingSchema = z.object({
  tensors: z.int(),
  values: z.number(),
  exact_values: z.number(),
  /** Root of the squared errors over the squares; 0: every number is what the model decodes to. */
  relative_error: z.number(),
  largest_error: z.number(),
})
export type Rounding = z.infer<typeof roundingSchema>

/** Made by reading the files again: what is not as it was meant fails the export (export_unverified). */
export const verificationSchema = roundingSchema
export type Verification = Rounding

export const chosenTypeSchema = z.object({
  /** As the file names it. */
  tensor: z.string(),
  type: z.string(),
  /** Why not a smaller one, or not the one that was asked for. */
  reason: z.string(),
  relative_error: z.number(),
})
export type ChosenType = z.infer<typeof chosenTypeSchema>

export const exportResultSchema = z.object({
  format: z.string(),
  files: z.array(exportedFileSchema).min(1),
  bytes: z.number(),
  tensors: z.int(),
  /** GGUF: llama.cpp's name of the family. */
  architecture: z.string().nullable(),
  verification: verificationSchema,
  types: z.array(z.object({ type: z.string(), ...roundingSchema.shape })),
  chosen: z.array(chosenTypeSchema),
})
export type ExportResult = z.infer<typeof exportResultSchema>
