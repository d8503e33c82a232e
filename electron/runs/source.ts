// A recipe's source (text, documents, token file, bundled text) to token ids of a model.
import path from 'node:path'
import { failure, success, type Result } from '../contract/errors.ts'
import type { Protocol } from '../contract/evaluation.ts'
import { bundledPrefix, type Join } from '../contract/recipe.ts'
import type { Model, Tokens } from '../contract/records.ts'
import { isDocuments, openDocuments, type Documents } from '../models/documents.ts'
import { drawWindows, type Draw, type Place } from '../models/draw.ts'
import { joiners, joinLines } from '../models/join.ts'
import { loadTokenizer, readBos, type Encode } from '../models/tokenizer.ts'
import { idOutside, joined, readText, readTokenFile, sha256, tokenBytes, tokenFileEnding } from '../models/tokens.ts'

/** `places`: of the windows of documents that were drawn. */
export type SourceTokens = { bytes: Buffer; tokens: Tokens; places?: Place[] }

/** What is wanted of a source. */
export type Wanted = {
  source: string
  join: Join
  /** Ids that suffice: of documents that are tokenized one by one, the first that have so many. */
  enough?: number
  /** Windows of documents drawn at random, instead of all that is there. */
  draw?: Draw
}

export const textsFolder = (root: string) => path.join(root, 'resources', 'texts')

export const sourceFile = (root: string, source: string): string =>
  source.startsWith(bundledPrefix)
    ? path.join(textsFolder(root), `${path.basename(source.slice(bundledPrefix.length))}.txt`)
    : source

export const sourceReader =
  (root: string) =>
  (wanted: Wanted, model: Model): Promise<Result<SourceTokens>> =>
    readSource(root, wanted, model)

/** `model`: what inspect says of the folder, whose tokenizer is used. */
async function readSource(root: string, wanted: Wanted, model: Model): Promise<Result<SourceTokens>> {
  const { source } = wanted
  const wrong = checkUse(wanted)
  if (!wrong.ok) return wrong
  const file = sourceFile(root, source)
  const read = file.endsWith(tokenFileEnding) ? plain(await readTokenFile(file)) : await tokenize(file, wanted, model)
  if (!read.ok) return read
  const { ids, places } = read.value
  const outside = idOutside(ids, model.vocabulary)
  if (outside !== null) {
    const { id, at } = outside
    return failure(
      'tokens_invalid',
      `${source} has id ${id} at place ${at}, and the model's vocabulary ends at ${model.vocabulary - 1}.`,
    )
  }
  const bytes = tokenBytes(ids)
  const tokens = { source, sha256: sha256(bytes), tokens: ids.length }
  return success({ bytes, tokens, ...(places ? { places } : {}) })
}

/** Whether a source of this kind can be used so. */
export function checkUse({ source, join, draw }: Wanted): Result<null> {
  if (draw !== undefined && !isDocuments(source)) {
    return failure(
      'recipe_invalid',
      `Only a file of JSON lines (.jsonl, .json, or these with .gz) has documents to draw, not ${source}.`,
    )
  }
  if (draw !== undefined && join !== 'raw') {
    return failure('recipe_invalid', 'Documents that are drawn are tokenized one by one: they are not joined.')
  }
  if (join !== 'raw' && source.endsWith(tokenFileEnding)) {
    return failure('recipe_invalid', `${source} holds token ids: there are no lines to join.`)
  }
  return success(null)
}

/** What an evaluation puts in place of each window's first token. */
export const bosFor = (protocol: Protocol, model: Pick<Model, 'path'>): Promise<number | null> =>
  protocol === 'papers' ? Promise.resolve(null) : readBos(model.path)

type Read = { ids: Uint32Array; places?: Place[] }

const plain = (ids: Result<Uint32Array>): Result<Read> => (ids.ok ? success({ ids: ids.value }) : ids)

async function tokenize(file: string, wanted: Wanted, model: Model): Promise<Result<Read>> {
  // First the tokenizer: without one the text does not matter.
  const encode = await loadTokenizer(model.path)
  if (!encode.ok) return encode
  if (isDocuments(file)) return tokenizeDocuments(file, wanted, encode.value)
  const text = await readText(file)
  return text.ok ? plain(encode.value(joinLines(text.value, wanted.join))) : text
}

async function tokenizeDocuments(
  file: string,
  { source, join, enough = Infinity, draw }: Wanted,
  encode: Encode,
): Promise<Result<Read>> {
  const documents = await openDocuments(file)
  if (!documents.ok) return documents
  try {
    if (draw !== undefined) return await drawWindows(source, documents.value, encode, draw)
    if (join === 'raw') return plain(await oneByOne(documents.value, encode, enough))
    const texts: string[] = []
    for (let i = 0; i < documents.value.count; i++) {
      const text = await documents.value.text(i)
      if (!text.ok) return text
      texts.push(text.value)
    }
    return plain(encode(texts.join(joiners[join])))
  } finally {
    await documents.value.close()
  }
}

async function oneByOne(documents: Documents, encode: Encode, enough: number): Promise<Result<Uint32Array>> {
  const parts: Uint32Array[] = []
  let there = 0
  for (let i = 0; i < documents.count && there < enough; i++) {
    const text = await documents.text(i)
    if (!text.ok) return text
    const ids = encode(text.value)
    if (!ids.ok) return ids
    parts.push(ids.value)
    there += ids.value.length
  }
  return success(joined(parts))
}
