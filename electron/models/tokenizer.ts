// Texts to token ids with the tokenizer that lies in the model's folder.
import { access, readFile } from 'node:fs/promises'
import path from 'node:path'
import * as library from '@huggingface/tokenizers'
import { z } from 'zod'
import { failure, success, type Result } from '../contract/errors.ts'
import { cutter, type Merges } from './cuts.ts'
import { sha256 } from './tokens.ts'

/** One call encodes a whole text: what the tokenizer puts in front of a text (BOS) appears once, at its start. */
export type Encode = (text: string) => Result<Uint32Array>

/** Both ways, and what a file's tokenizer says of its own tokens. */
export type Tokenizer = {
  encode: Encode
  /** Without what is put in front of a text: for texts that name their special tokens themselves. */
  encodeBare: Encode
  /** The text of the ids in a row, special tokens left out; bytes that are no character are U+FFFD. */
  decode: (ids: readonly number[]) => string
  /** The id of a token by its name; undefined where there is none. */
  idOf: (token: string) => number | undefined
  /** tokenizer_config.json. */
  settings: Record<string, unknown>
  /** SHA-256 of tokenizer.json: models with the same one can be compared token by token. */
  sha256: string
}

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
  encode: (text: string, options?: { add_special_tokens: boolean }) => { ids: (number | undefined)[] }
  decode: (ids: readonly number[], options: object) => string
  token_to_id: (token: string) => number | undefined
  model: { encode: (words: string[]) => string[]; vocab: (string | undefined)[] } | null
}
const LibraryTokenizer = library.Tokenizer as new (file: object, settings: object) => LibraryTokenizer

export async function loadTokenizer(folder: string): Promise<Result<Encode>> {
  const opened = await openTokenizer(folder)
  return opened.ok ? success(opened.value.encode) : opened
}

/** Loads tokenizer.json and, where it is there, tokenizer_config.json. */
export async function openTokenizer(folder: string): Promise<Result<Tokenizer>> {
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
    const bytes = await readFile(main)
    const file = fileSchema.parse(JSON.parse(bytes.toString('utf8')))
    return success({ ...tokenizer(file, await config(folder)), sha256: sha256(bytes) })
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

export const encoder = (file: TokenizerFile, settings: object): Encode => tokenizer(file, settings).encode

export function tokenizer(file: TokenizerFile, settings: object): Omit<Tokenizer, 'sha256'> {
  const tokenizer = new LibraryTokenizer(file, settings)
  const merges = cuttableMerges(file)
  const model = tokenizer.model
  if (merges && model) {
    let cut: ReturnType<typeof cutter> | undefined
    const pieces = (word: string) => (word.length <= longestUncut ? word : (cut ??= cutter(merges))(word))
    const encodeWords = model.encode.bind(model)
    model.encode = (words: string[]) => encodeWords(words.flatMap(pieces))
  }
  const encode = (text: string, add_special_tokens: boolean): Result<Uint32Array> => {
    // A tokenizer without a token for the unknown leaves holes where a character is not in its vocabulary.
    const { ids } = tokenizer.encode(text, { add_special_tokens })
    const hole = ids.findIndex((id) => id === undefined)
    if (hole < 0) return success(Uint32Array.from(ids as number[]))
    return failure('tokenizer_broken', `The tokenizer has no id for a part of the text, after ${hole} tokens.`)
  }
  return {
    encode: (text) => encode(text, true),
    encodeBare: (text) => encode(text, false),
    decode(ids) {
      // Rows that only fill a table up have no token.
      const named = model === null ? [...ids] : ids.filter((id) => model.vocab[id] !== undefined)
      if (named.length === 0) return ''
      return tokenizer.decode(named, { skip_special_tokens: true, clean_up_tokenization_spaces: false })
    },
    idOf: (token) => tokenizer.token_to_id(token),
    settings: { ...settings },
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
