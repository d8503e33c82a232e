// A packed folder: its index, its shards, and every tensor of it under one roof.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { fileError, PackedError } from './errors.ts'
import type { Tensor } from './header.ts'
import { parseJson } from './json.ts'
import { orderOf, type Layout } from './layout.ts'
import { requireFormat } from './metadata.ts'
import { requireTensor } from './parts.ts'
import { orderDtype, rolesOf } from './roles.ts'
import { openShard, type PackedShard } from './shard.ts'
import type { TensorSource } from './source.ts'

export const indexName = 'model.safetensors.index.json'

export interface PackedModel extends TensorSource {
  /** By file name, in the order of the names. */
  readonly shards: ReadonlyMap<string, PackedShard>
  readonly tensors: ReadonlyMap<string, Tensor>
  verify(tensor: string): Promise<boolean>
  close(): Promise<void>
}

const indexSchema = z.object({
  metadata: z.object({ total_size: z.int().nonnegative(), signum_format: z.string() }),
  // A file beside the index, so that a made-up folder cannot make us read elsewhere.
  weight_map: z.record(z.string(), z.string().regex(/^[^/\\]+\.safetensors$/, 'not a file name')),
})

export async function openPackedModel(folder: string): Promise<PackedModel> {
  const path = join(folder, indexName)
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw fileError(path, cause)
  })
  const index = parseJson(indexSchema, text, path, 'packed_broken')
  requireFormat(index.metadata.signum_format, path)
  const shards = new Map<string, PackedShard>()
  const close = async () => {
    for (const shard of shards.values()) await shard.close()
  }
  try {
    for (const name of [...new Set(Object.values(index.weight_map))].sort()) {
      shards.set(name, await openShard(join(folder, name)))
    }
    return { ...joinShards(folder, index, shards), close }
  } catch (error) {
    await close()
    throw error
  }
}

function joinShards(
  folder: string,
  index: z.infer<typeof indexSchema>,
  shards: ReadonlyMap<string, PackedShard>,
): Omit<PackedModel, 'close'> {
  const broken = (what: string) => new PackedError('packed_broken', `${folder}: ${what}.`)
  const homes = new Map<string, PackedShard>()
  const tensors = new Map<string, Tensor>()
  const linears = new Map<string, Layout>()
  const tables = new Map<string, Layout>()
  let bytes = 0
  for (const [file, shard] of shards) {
    for (const [name, tensor] of shard.tensors) {
      if (index.weight_map[name] !== file) throw broken(`tensor ${name} is in ${file} and the index says otherwise`)
      homes.set(name, shard)
      tensors.set(name, tensor)
      bytes += tensor.bytes
    }
    for (const [name, layout] of shard.linears) {
      if (linears.has(name)) throw broken(`linear ${name} is in more than one shard`)
      linears.set(name, layout)
    }
    for (const [name, layout] of shard.metadata.tables) {
      if (tables.has(name)) throw broken(`table ${name} is in more than one shard`)
      tables.set(name, layout)
    }
  }
  const both = [...tables.keys()].find((name) => linears.has(name))
  if (both !== undefined) throw broken(`${both} is a table and a linear`)
  const lost = Object.keys(index.weight_map).find((name) => !tensors.has(name))
  if (lost !== undefined) throw broken(`the index names tensor ${lost} and no shard has it`)
  const { total_size: total } = index.metadata
  if (bytes !== total) throw broken(`the tensors have ${bytes} bytes and the index says ${total}`)

  const home = (name: string) => {
    const shard = homes.get(name)
    if (!shard) throw new PackedError('tensor_missing', `${folder} has no tensor ${name}.`)
    return shard
  }
  const source: TensorSource = {
    path: folder,
    linears,
    tables,
    tensors,
    read: async (name, ...range) => home(name).read(name, ...range),
  }
  requireLinears(source)
  return { ...source, shards, tensors, verify: async (name) => home(name).verify(name) }
}

/** Every linear must have exactly the tensors of its layout, before anyone decodes one of them. */
function requireLinears(source: TensorSource): void {
  for (const [name, layout] of [...source.linears, ...(source.tables ?? [])]) {
    if (source.tensors.has(`${name}.weight`)) {
      throw new PackedError('packed_broken', `${source.path}: ${name} is quantized and has a weight too.`)
    }
    for (const { role, dtype, shape } of rolesOf(layout)) requireTensor(source, `${name}.${role}`, dtype, shape)
    const order = orderOf(layout)
    if (order !== undefined) requireTensor(source, order, orderDtype(layout.columns), [layout.columns])
  }
}
