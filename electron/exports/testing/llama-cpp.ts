// llama.cpp as a judge: an independent program that reads our GGUF files.
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'

/** Where the packages bring a llama.cpp (package.json: overrides leave out the other platforms' and the GPUs'). */
export const llamaCppIsThere = process.platform === 'linux' && process.arch === 'x64'

export interface Judgement {
  /** [tokens, vocabulary] */
  readonly logits: Float32Array
  /** Of each text, with what stands in front of every text. */
  readonly ids: number[][]
}

/** `folder`: for the files that the two processes hand each other. */
export const askLlamaCpp = (
  folder: string,
  gguf: string,
  tokens: readonly number[],
  texts: readonly string[],
): Promise<Judgement> => ask(folder, { gguf, tokens, texts, more: 0 })

/** The `more` tokens that come after these, the most likely each time. */
export async function continueLlamaCpp(
  folder: string,
  gguf: string,
  tokens: readonly number[],
  more: number,
): Promise<number[]> {
  const { ids } = await ask(folder, { gguf, tokens, texts: [], more })
  return ids[0]!
}

async function ask(
  folder: string,
  asked: { gguf: string; tokens: readonly number[]; texts: readonly string[]; more: number },
): Promise<Judgement> {
  const [job, logits, ids] = ['judge.json', 'judge.f32', 'judge-ids.json'].map((name) => path.join(folder, name))
  await writeFile(job!, JSON.stringify({ ...asked, logits, ids }))
  await promisify(execFile)(process.execPath, [path.join(import.meta.dirname, 'llama-cpp-child.mjs'), job!], {
    timeout: 60_000,
  })
  const bytes = await readFile(logits!)
  return {
    logits: new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)),
    ids: z.array(z.array(z.number())).parse(JSON.parse(await readFile(ids!, 'utf8'))),
  }
}

/** Squared difference over squared size: normalized mean squared error. */
export function nmse(given: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (given.length !== expected.length) throw new Error(`${given.length} numbers, not ${expected.length}`)
  let [difference, size] = [0, 0]
  for (let i = 0; i < given.length; i++) {
    difference += (given[i]! - expected[i]!) ** 2
    size += expected[i]! ** 2
  }
  return difference / size
}
