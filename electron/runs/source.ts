// A recipe's source (text, token file, bundled text) to token ids of a model.
import path from 'node:path'
import { failure, success, type Result } from '../contract/errors.ts'
import type { Protocol } from '../contract/evaluation.ts'
import { bundledPrefix } from '../contract/recipe.ts'
import type { Model, Tokens } from '../contract/records.ts'
import { loadTokenizer, readBos } from '../models/tokenizer.ts'
import { idOutside, readText, readTokenFile, sha256, tokenBytes, tokenFileEnding } from '../models/tokens.ts'

export type SourceTokens = { bytes: Buffer; tokens: Tokens }

export const textsFolder = (root: string) => path.join(root, 'resources', 'texts')

export const sourceFile = (root: string, source: string): string =>
  source.startsWith(bundledPrefix)
    ? path.join(textsFolder(root), `${path.basename(source.slice(bundledPrefix.length))}.txt`)
    : source

export const sourceReader =
  (root: string) =>
  (source: string, model: Model): Promise<Result<SourceTokens>> =>
    readSource(root, source, model)

/** `model`: what inspect says of the folder, whose tokenizer is used. */
async function readSource(root: string, source: string, model: Model): Promise<Result<SourceTokens>> {
  const file = sourceFile(root, source)
  const ids = file.endsWith(tokenFileEnding) ? await readTokenFile(file) : await tokenize(file, model)
  if (!ids.ok) return ids
  const outside = idOutside(ids.value, model.vocabulary)
  if (outside !== null) {
    const { id, at } = outside
    return failure(
      'tokens_invalid',
      `${source} has id ${id} at place ${at}, and the model's vocabulary ends at ${model.vocabulary - 1}.`,
    )
  }
  const bytes = tokenBytes(ids.value)
  return success({ bytes, tokens: { source, sha256: sha256(bytes), tokens: ids.value.length } })
}

/** What an evaluation puts in place of each window's first token. */
export const bosFor = (protocol: Protocol, model: Pick<Model, 'path'>): Promise<number | null> =>
  protocol === 'papers' ? Promise.resolve(null) : readBos(model.path)

async function tokenize(file: string, model: Model): Promise<Result<Uint32Array>> {
  // First the tokenizer: without one the text does not matter.
  const encode = await loadTokenizer(model.path)
  if (!encode.ok) return encode
  const text = await readText(file)
  return text.ok ? encode.value(text.value) : text
}
