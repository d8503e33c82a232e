// Texts to calibrate and measure with: those that come with Signum, and how any of them begins.
import { open, readdir } from 'node:fs/promises'
import path from 'node:path'
import type { Ending, TextCard } from '../contract/api.ts'
import { failure } from '../contract/errors.ts'
import { bundledPrefix } from '../contract/recipe.ts'
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
    const handle = await open(file)
    try {
      const { size } = await handle.stat()
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(beginningBytes), 0, beginningBytes, 0)
      const beginning = file.endsWith(tokenFileEnding) ? '' : wholeCharacters(buffer.subarray(0, bytesRead))
      return { kind: 'finished', value: { source, bytes: size, beginning } }
    } finally {
      await handle.close()
    }
  } catch (error) {
    return refused(failure('text_unreadable', `The text ${file} cannot be read.`, String(error)).problem)
  }
}

/** The cut may have gone through a character. */
const wholeCharacters = (bytes: Uint8Array) =>
  new TextDecoder('utf-8').decode(bytes, { stream: true }).replace(/^\ufeff/, '')
