// How many tokens a text has, for those who ask before a run: counted once, and remembered while the file stays as it is.
import { open, stat } from 'node:fs/promises'
import path from 'node:path'
import { failure, success, type Result } from '../contract/errors.ts'
import type { Model, Tokens } from '../contract/records.ts'
import { loadTokenizer } from '../models/tokenizer.ts'
import { tokenFileEnding } from '../models/tokens.ts'
import { sourceFile, sourceReader } from './source.ts'

/** `about`: a long text, judged by its beginning; the run counts all of it. */
export type TokenCount = { tokens: Tokens; about: boolean }

/** Bytes of text that are tokenized for an answer: more would hold up the program for longer than a blink. */
const shortText = 2 ** 20

const counts = new Map<string, TokenCount>()

export const countReader =
  (root: string) =>
  async (source: string, model: Model): Promise<Result<TokenCount>> => {
    const file = sourceFile(root, source)
    const [text, tokenizer] = await Promise.all([stampOf(file), stampOf(path.join(model.path, 'tokenizer.json'))])
    const key = [file, text?.stamp, model.path, tokenizer?.stamp, model.vocabulary].join('\n')
    const known = counts.get(key)
    if (known) return success(known)
    const long = text !== null && text.bytes > shortText && !file.endsWith(tokenFileEnding)
    const counted = long ? await countBeginning(file, source, text.bytes, model) : await countAll(root, source, model)
    if (counted.ok) counts.set(key, counted.value)
    return counted
  }

/** What to expect where a text cannot be read, or was not counted yet: four bytes a token. */
export async function tokensAbout(root: string, source: string, model: Model): Promise<number> {
  const text = await stampOf(sourceFile(root, source))
  if (text === null || text.bytes > shortText) return Math.ceil((text?.bytes ?? 0) / 4)
  const counted = await countReader(root)(source, model)
  return counted.ok ? counted.value.tokens.tokens : Math.ceil(text.bytes / 4)
}

async function countAll(root: string, source: string, model: Model): Promise<Result<TokenCount>> {
  const read = await sourceReader(root)(source, model)
  return read.ok ? success({ tokens: read.value.tokens, about: false }) : read
}

async function countBeginning(file: string, source: string, bytes: number, model: Model): Promise<Result<TokenCount>> {
  const encode = await loadTokenizer(model.path)
  if (!encode.ok) return encode
  const beginning = await readBeginning(file)
  if (!beginning.ok) return beginning
  const ids = encode.value(beginning.value)
  if (!ids.ok) return ids
  const tokens = Math.round((ids.value.length / shortText) * bytes)
  return success({ tokens: { source, sha256: '', tokens }, about: true })
}

async function readBeginning(file: string): Promise<Result<string>> {
  const handle = await open(file).catch(() => null)
  if (handle === null) return failure('text_unreadable', `The text ${file} cannot be read.`)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(shortText), 0, shortText, 0)
    // The cut may have gone through a character.
    return success(new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, bytesRead), { stream: true }))
  } catch {
    return failure('text_unreadable', `${file} is not a UTF-8 text.`)
  } finally {
    await handle.close()
  }
}

async function stampOf(file: string): Promise<{ bytes: number; stamp: string } | null> {
  const found = await stat(file).catch(() => null)
  return found && { bytes: found.size, stamp: `${found.size} ${found.mtimeMs}` }
}
