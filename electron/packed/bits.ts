// The three numbers of bits per weight, counted from the files of a packed folder.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { fileError, PackedError } from './errors.ts'
import { parseJson } from './json.ts'
import { orderOf, type Layout } from './layout.ts'
import type { PackedModel } from './model.ts'
import { setBits } from './planes.ts'
import { rolesOf } from './roles.ts'
import type { TensorSource } from './source.ts'

export interface BitNumbers {
  /** As the papers count, over all weights of the decoder's linears; kept ones at the width that they are stored in. */
  readonly nominal: number
  /** All bytes of the decoder's linears, per weight of theirs. */
  readonly linear: number
  /** All bytes of all safetensors files, per parameter of the model. */
  readonly file: number
  /** What these are made of. */
  readonly weights: number
  readonly parameters: number
  readonly linearBytes: number
  readonly fileBytes: number
}

export async function bitNumbers(model: PackedModel): Promise<BitNumbers> {
  let weights = 0
  let nominal = 0
  for (const [name, layout] of model.linears) {
    const size = layout.rows * layout.columns
    weights += size
    nominal += size * (await nominalBits(model, name, layout))
  }
  const packed = linearTensors(model)
  const kept = keptLinears(model)
  for (const { elements, bytes } of kept) {
    weights += elements
    nominal += 8 * bytes
  }
  if (weights === 0) throw new PackedError('packed_broken', `${model.path} has no linear.`)
  let fileBytes = 0
  for (const shard of model.shards.values()) fileBytes += shard.file.size
  const parameters = weights + (await otherParameters(model, new Set([...packed, ...kept.map(({ name }) => name)])))
  const bytes = kept.reduce((sum, one) => sum + one.bytes, bytesOf(model, packed))
  return {
    nominal: nominal / weights,
    linear: (8 * bytes) / weights,
    file: (8 * fileBytes) / parameters,
    weights,
    parameters,
    linearBytes: bytes,
    fileBytes,
  }
}

export async function nominalBits(source: TensorSource, linear: string, layout: Layout): Promise<number> {
  switch (layout.method) {
    case 'rtn':
    case 'gptq':
      return layout.bits
    case 'billm':
    case 'arb':
    case 'arb-x':
    case 'arb-rc': {
      const salient = setBits(await source.read(`${linear}.salient`), layout.columns)
      return 1 + salient.length / layout.columns
    }
    case 'pb-llm': {
      const share = layout.salient_weights / (layout.rows * layout.columns)
      return 1 - share + share * layout.salient_bits
    }
    case 'fdb':
      return 2
    case 'signum-rc':
      return 1 + (layout.second_columns + (layout.third_columns ?? 0)) / layout.columns
  }
}

/** The linears of decoder layers that are stored as they were: matrices, unlike norms and biases. */
const keptLinears = ({ tensors }: PackedModel) =>
  [...tensors]
    .filter(([name, { shape }]) => /\.layers\.\d+\..+\.weight$/.test(name) && shape.length === 2)
    .map(([name, { shape, bytes }]) => ({ name, elements: shape[0]! * shape[1]!, bytes }))

/** Every tensor that a quantized linear is made of; an order that several share is there once. */
function linearTensors(model: PackedModel): Set<string> {
  const names = new Set<string>()
  for (const [linear, layout] of model.linears) {
    for (const { role } of rolesOf(layout)) names.add(`${linear}.${role}`)
    const order = orderOf(layout)
    if (order !== undefined) names.add(order)
  }
  return names
}

function bytesOf(model: PackedModel, names: Iterable<string>): number {
  let bytes = 0
  for (const name of names) bytes += model.tensors.get(name)?.bytes ?? 0
  return bytes
}

async function otherParameters(model: PackedModel, packed: ReadonlySet<string>): Promise<number> {
  const tied = await hasTiedHead(model)
  let parameters = 0
  const ofTables = new Set<string>()
  for (const [table, layout] of model.tables ?? []) {
    parameters += layout.rows * layout.columns
    for (const { role } of rolesOf(layout)) ofTables.add(`${table}.${role}`)
  }
  for (const [name, { shape }] of model.tensors) {
    if (packed.has(name) || ofTables.has(name) || (tied && name === 'lm_head.weight')) continue
    parameters += shape.reduce((product, length) => product * length, 1)
  }
  return parameters
}

const configSchema = z.object({ tie_word_embeddings: z.boolean().nullish(), model_type: z.string().nullish() })
/** Families whose head is the embedding table where config.json does not say. */
const tiedFamilies = ['gemma2', 'gemma3_text', 'opt']

/** A head that is the embedding table is the same parameters, even where both are stored. */
async function hasTiedHead(model: PackedModel): Promise<boolean> {
  if (![...model.tensors.keys()].some((name) => name.endsWith('embed_tokens.weight'))) return false
  const path = join(model.path, 'config.json')
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw fileError(path, cause)
  })
  const { tie_word_embeddings: tied, model_type: family } = parseJson(configSchema, text, path, 'packed_broken')
  return tied ?? tiedFamilies.includes(family ?? '')
}
