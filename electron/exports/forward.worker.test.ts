// What the worker computes against a forward pass in 64-bit numbers, for every family: also where llama.cpp is no judge (OPT, Mistral
// beyond its window) or a coarse one (Gemma's GELU).
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { forward, type Tensors } from '../models/testing/forward.ts'
import { uniform } from '../models/testing/random.ts'
import { randomConfig, randomModelNames, randomTensors, writeRandomModel } from '../models/testing/random-models.ts'
import { openSafetensors } from '../packed/safetensors.ts'
import { nmse } from './testing/llama-cpp.ts'
import { logitsOf } from './testing/worker.ts'

const data = path.resolve(import.meta.dirname, '..', '..', 'native', 'tests', 'data')

let root = ''
beforeAll(async () => void (root = await mkdtemp(path.join(tmpdir(), 'signum-forward-'))))
afterAll(() => rm(root, { recursive: true }))

describe('the worker agrees with the definition', () => {
  test.for(randomModelNames)('%s', async (name, { annotate }) => {
    const folder = path.join(root, name)
    await writeRandomModel(folder, name)
    const config = randomConfig(name)
    const next = uniform(7)
    const ids = Array.from({ length: 40 }, () => Math.floor(next() * (config['vocab_size'] as number)))
    const expected = forward(config, randomTensors(name), ids)
    const difference = nmse(await logitsOf(root, folder, ids), expected.flat())
    await annotate(`NMSE ${difference.toExponential(1)}`)
    expect(difference).toBeLessThan(1e-10)
  })
})

/** Who judges the judge: logits that transformers' own arithmetic gave, printed with five decimals. */
describe('the definition agrees with published logits', () => {
  test.each(['opt-tinystories-1m', 'llama-mix-1m'])('%s', async (name) => {
    const golden = z
      .object({ input_ids: z.array(z.number()), last_logits: z.array(z.number()) })
      .parse(JSON.parse(await readFile(path.join(data, `${name}.json`), 'utf8')))
    const folder = path.join(data, 'models', name)
    const config = z
      .record(z.string(), z.unknown())
      .parse(JSON.parse(await readFile(path.join(folder, 'config.json'), 'utf8')))
    const logits = forward(config, await readTensors(path.join(folder, 'model.safetensors')), golden.input_ids).at(-1)!
    const furthest = Math.max(...logits.map((value, id) => Math.abs(value - golden.last_logits[id]!)))
    expect(furthest).toBeLessThan(1e-4)
  })
})

async function readTensors(file: string): Promise<Tensors> {
  const opened = await openSafetensors(file)
  try {
    const tensors = [...opened.tensors].map(async ([name, { dtype, shape }]) => {
      if (dtype !== 'F32') throw new Error(`${name} is ${dtype}`)
      return [name, { shape, values: new Float32Array((await opened.read(name)).buffer) }] as const
    })
    return Object.fromEntries(await Promise.all(tensors))
  } finally {
    await opened.close()
  }
}
