// How many tokens a text has, for those who ask before a run: counted once, and remembered while the file stays as it is.
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { failure, success, type Result } from '../contract/errors.ts'
import type { Model, Tokens } from '../contract/records.ts'
import { beginningOf, type Beginning } from '../models/beginning.ts'
import { isCompressed, isDocuments } from '../models/documents.ts'
import { loadTokenizer } from '../models/tokenizer.ts'
import { tokenFileEnding } from '../models/tokens.ts'
import { checkUse, sourceFile, sourceReader, type Wanted } from './source.ts'

/** `about`: a long text, judged by its beginning; the run counts all of it. */
export type TokenCount = { tokens: Tokens; about: boolean }

/** Bytes of text that are tokenized for an answer: more would hold up the program for longer than a blink. */
const shortText = 2 ** 20

const counts = new Map<string, TokenCount>()

export const countReader =
  (root: string) =>
  async (wanted: Wanted, model: Model): Promise<Result<TokenCount>> => {
    const usable = checkUse(wanted)
    if (!usable.ok) return usable
    const file = sourceFile(root, wanted.source)
    const [text, tokenizer] = await Promise.all([stampOf(file), stampOf(path.join(model.path, 'tokenizer.json'))])
    const key = [file, text?.stamp, model.path, tokenizer?.stamp, model.vocabulary, JSON.stringify(wanted)].join('\n')
    const known = counts.get(key)
    if (known) return success(known)
    const long = text !== null && (await isLong(file, text.bytes))
    const counted = long ? await countBeginning(file, wanted, model) : await countAll(root, wanted, model)
    if (counted.ok) counts.set(key, counted.value)
    return counted
  }

/** What to expect where a text cannot be read, or was not counted yet: four bytes a token. */
export async function tokensAbout(root: string, wanted: Wanted, model: Model): Promise<number> {
  const { draw, enough = Infinity } = wanted
  if (draw) return draw.sequences * draw.length
  const text = await stampOf(sourceFile(root, wanted.source))
  const guess = Math.min(enough, Math.ceil((text?.bytes ?? 0) / 4))
  if (text === null || text.bytes > shortText) return guess
  const counted = await countReader(root)(wanted, model)
  return counted.ok ? counted.value.tokens.tokens : guess
}

/** Exact where that is known at once; of a longer text no less than it can have, or null where even that is not known. */
export async function tokensAtMost(root: string, wanted: Wanted, model: Model): Promise<number | null> {
  if (wanted.draw) return wanted.draw.sequences * wanted.draw.length
  const file = sourceFile(root, wanted.source)
  const text = await stampOf(file)
  if (text === null) return null
  if (!(await isLong(file, text.bytes))) {
    const counted = await countReader(root)(wanted, model)
    return counted.ok ? counted.value.tokens.tokens : null
  }
  // A token is at least a byte; and one is put before the text.
  return isCompressed(file) || isDocuments(file) ? null : text.bytes + 1
}

/** What is packed may be longer than it looks. */
const isLong = async (file: string, bytes: number): Promise<boolean> => {
  if (file.endsWith(tokenFileEnding)) return false
  if (bytes > shortText || !isCompressed(file)) return bytes > shortText
  return beginningOf(file, shortText).then(
    ({ texts }) => texts.reduce((total, text) => total + text.length, 0) > shortText / 2,
    () => false,
  )
}

async function countAll(root: string, wanted: Wanted, model: Model): Promise<Result<TokenCount>> {
  const read = await sourceReader(root)(wanted, model)
  return read.ok ? success({ tokens: read.value.tokens, about: false }) : read
}

async function countBeginning(file: string, wanted: Wanted, model: Model): Promise<Result<TokenCount>> {
  const { source, draw, enough = Infinity } = wanted
  const encode = await loadTokenizer(model.path)
  if (!encode.ok) return encode
  const beginning = await readBeginning(file)
  if (!beginning.ok) return beginning
  const { texts, share } = beginning.value
  let tokens = 0
  for (const text of texts) {
    const ids = encode.value(text)
    if (!ids.ok) return ids
    tokens += ids.value.length
  }
  if (texts.length === 0)
    return failure('text_unreadable', `${file} begins with no document: a JSON object with its text under "text".`)
  // Which documents are drawn is not known before they are.
  const all = draw ? draw.sequences * draw.length : Math.min(enough, Math.round(tokens / share))
  return success({ tokens: { source, sha256: '', tokens: all }, about: true })
}

async function readBeginning(file: string): Promise<Result<Beginning>> {
  try {
    return success(await beginningOf(file, shortText))
  } catch (error) {
    if (error instanceof TypeError) return failure('text_unreadable', `${file} is not a UTF-8 text.`)
    return failure('text_unreadable', `The text ${file} cannot be read.`, String(error))
  }
}

/** Other where the file was changed; null where there is none. */
export async function stampOf(file: string): Promise<{ bytes: number; stamp: string } | null> {
  const found = await stat(file).catch(() => null)
  return found && { bytes: found.size, stamp: `${found.size} ${found.mtimeMs}` }
}
