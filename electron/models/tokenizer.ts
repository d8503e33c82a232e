// Texts to token ids with the tokenizer that lies in the model's folder.
import { access, readFile } from 'node:fs/promises'
import path from 'node:path'
import * as library from '@huggingface/tokenizers'
import { z } from 'zod'
import { failure, success, type Result } from '../contract/errors.ts'
import { cutter, type Merges } from './cuts.ts'

/** One call encodes a whole text: what the tokenizer puts in front of a text (BOS) appears once, at its start. */
export type Encode = (text: string) => Result<Uint32Array>

const fileSchema = z.looseObject({
  added_tokens: z.array(z.looseObject({ id: z.int(), special: z.boolean().optional() })).optional(),
  model: z.looseObject({
    type: z.string().optional(),
    merges: z.array(z.union([z.string(), z.array(z.string())])).optional(),
    end_of_word_suffix: z.string().nullish(),
    continuing_subword_prefix: z.string().nullish(),
    continuing_subword_suffix: z.string().nullish(),
    ignore_merges: z.boolean().nullish(),
  }),
})
type TokenizerFile = z.infer<typeof fileSchema>

/** The part of the library that is used: its own declarations do not resolve under Node's module rules. */
type LibraryTokenizer = {
  encode: (text: string) => { ids: (number | undefined)[] }
  model: { encode: (words: string[]) => string[] } | null
}
const Tokenizer = library.Tokenizer as new (file: object, settings: object) => LibraryTokenizer

/** Loads tokenizer.json and, where it is there, tokenizer_config.json. */
export async function loadTokenizer(folder: string): Promise<Result<Encode>> {
  const main = path.join(folder, 'tokenizer.json')
  try {
    await access(main)
  } catch {
    return failure(
      'tokenizer_missing',
      `${folder} has no tokenizer.json, so Signum cannot turn a text into tokens for this model: give token ids instead, for example --calibration X.u32 (little-endian 32-bit ids).`,
    )
  }
  try {
    const file = fileSchema.parse(JSON.parse(await readFile(main, 'utf8')))
    return success(encoder(file, await config(folder)))
  } catch (error) {
    return failure(
      'tokenizer_broken',
      `${main} cannot be used: ${(error as Error).message.split('\n')[0]}`,
      String(error),
    )
  }
}

/** The special token that the tokenizer puts in front of every text (BOS); null where it puts none, or where there is no tokenizer. */
export async function readBos(folder: string): Promise<number | null> {
  const encode = await loadTokenizer(folder)
  const ids = encode.ok ? encode.value('a') : null
  if (!ids?.ok) return null
  const { added_tokens: added } = fileSchema.parse(
    JSON.parse(await readFile(path.join(folder, 'tokenizer.json'), 'utf8')),
  )
  const first = ids.value[0]
  return added?.some(({ id, special }) => id === first && special === true) ? first! : null
}

async function config(folder: string): Promise<object> {
  const text = await readFile(path.join(folder, 'tokenizer_config.json'), 'utf8').catch(() => '{}')
  return z.looseObject({}).parse(JSON.parse(text))
}

export function encoder(file: TokenizerFile, settings: object): Encode {
  const tokenizer = new Tokenizer(file, settings)
  const merges = cuttableMerges(file)
  const model = tokenizer.model
  if (merges && model) {
    let cut: ReturnType<typeof cutter> | undefined
    const pieces = (word: string) => (word.length <= longestUncut ? word : (cut ??= cutter(merges))(word))
    const encodeWords = model.encode.bind(model)
    model.encode = (words: string[]) => encodeWords(words.flatMap(pieces))
  }
  return (text) => {
    // A tokenizer without a token for the unknown leaves holes where a character is not in its vocabulary.
    const { ids } = tokenizer.encode(text)
    const hole = ids.findIndex((id) => id === undefined)
    if (hole < 0) return success(Uint32Array.from(ids as number[]))
    return failure('tokenizer_broken', `The tokenizer has no id for a part of the text, after ${hole} tokens.`)
  }
}

/**
 * The longest word that is merged as it is. LLaMA's and Gemma's tokenizers make one word of a text: of all of it, or of what lies
 * between two line breaks.
 */
const longestUncut = 24

/** The merges of a tokenizer whose words may be cut; null where a piece depends on its place. */
function cuttableMerges({ model }: TokenizerFile): Merges | null {
  if (model.type !== 'BPE' || model.merges === undefined) return null
  const placed = model.end_of_word_suffix || model.continuing_subword_prefix || model.continuing_subword_suffix
  return placed || model.ignore_merges ? null : model.merges
}
