import { createHash } from 'node:crypto'
import { PackedError } from './errors.ts'
import { parseMetadata, type ShardMetadata } from './metadata.ts'
import { openSafetensors, type SafetensorsFile } from './safetensors.ts'
import type { TensorSource } from './source.ts'

/** A safetensors file with the metadata of a packed model; also what `signum-worker layer` writes. */
export interface PackedShard extends TensorSource {
  readonly file: SafetensorsFile
  readonly metadata: ShardMetadata
  readonly tensors: SafetensorsFile['tensors']
  /** True when the bytes of a tensor have the sha256 that the metadata says. */
  verify(tensor: string): Promise<boolean>
  close(): Promise<void>
}

/** Large tensors are hashed in pieces of this many bytes. */
const hashBytes = 2 ** 22

export async function openShard(path: string): Promise<PackedShard> {
  const file = await openSafetensors(path)
  try {
    const metadata = parseMetadata(file.metadata, path)
    return {
      path,
      file,
      metadata,
      linears: metadata.linears,
      tables: metadata.tables,
      tensors: file.tensors,
      read: (...range) => file.read(...range),
      verify: (name) => verifyTensor(file, metadata, name),
      close: () => file.close(),
    }
  } catch (error) {
    await file.close()
    throw error
  }
}

async function verifyTensor(file: SafetensorsFile, metadata: ShardMetadata, name: string): Promise<boolean> {
  const tensor = file.tensors.get(name)
  if (!tensor) throw new PackedError('tensor_missing', `There is no tensor ${name} in ${file.path}.`)
  const expected = metadata.sha256.get(name)
  if (expected === undefined) throw new PackedError('packed_broken', `${file.path} has no sha256 of tensor ${name}.`)
  const hash = createHash('sha256')
  for (let begin = 0; begin < tensor.bytes; begin += hashBytes) {
    hash.update(await file.read(name, begin, Math.min(tensor.bytes, begin + hashBytes)))
  }
  return hash.digest('hex') === expected
}
