// Texts to calibrate and measure with: those that come with Signum, and how any of them begins.
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Ending, TextCard } from '../contract/api.ts'
import { failure } from '../contract/errors.ts'
import { bundledPrefix } from '../contract/recipe.ts'
import { beginningOf } from '../models/beginning.ts'
import { isDocuments } from '../models/documents.ts'
import { tokenFileEnding } from '../models/tokens.ts'
import { refused, type Context } from './context.ts'
import { sourceFile, textsFolder } from './source.ts'

const beginningBytes = 2000

export async function texts({ root }: Context): Promise<Ending<TextCard[]>> {
  const names = await readdir(textsFolder(root)).catch(() => [])
  const cards: TextCard[] = []
  for (const name of names.toSorted().filter((one) => one.endsWith('.txt'))) {
    const card = await text(root, `${bundledPrefix}${path.basename(name, '.txt')}`)
    if (card.kind === 'finished') cards.push(card.value)
  }
  return { kind: 'finished', value: cards }
}

export async function text(root: string, source: string): Promise<Ending<TextCard>> {
  const file = sourceFile(root, source)
  try {
    const { size } = await stat(file)
    const beginning = file.endsWith(tokenFileEnding) ? '' : await beginningText(file)
    return { kind: 'finished', value: { source, bytes: size, beginning } }
  } catch (error) {
    return refused(failure('text_unreadable', `The text ${file} cannot be read.`, String(error)).problem)
  }
}

/** A document may be longer than what is shown of it. */
async function beginningText(file: string): Promise<string> {
  const { texts } = await beginningOf(file, isDocuments(file) ? 16 * beginningBytes : beginningBytes)
  return texts.join('\n\n').slice(0, beginningBytes)
}
