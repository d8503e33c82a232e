// Writes the smallest packed shards that tests need, whole in memory.
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { safetensorsBytes, type TensorBytes } from '../../models/testing/safetensors.ts'
import { dtypeBytes, type Dtype } from '../header.ts'
import type { Layout } from '../layout.ts'
import type { TensorSource } from '../source.ts'

export { fileBytes, safetensorsBytes } from '../../models/testing/safetensors.ts'

export interface TestTensor extends TensorBytes {
  readonly dtype: Dtype
}
export type TestTensors = Record<string, TestTensor>

export function tensor(dtype: Dtype, shape: readonly number[], bytes: Uint8Array): TestTensor {
  const size = shape.reduce((product, length) => product * length, dtypeBytes[dtype])
  if (bytes.length !== size) throw new Error(`${dtype} [${shape.join(', ')}] needs ${size} bytes, not ${bytes.length}`)
  return { dtype, shape, bytes }
}

export const f32Tensor = (shape: readonly number[], values: Float32Array) =>
  tensor('F32', shape, new Uint8Array(values.buffer, values.byteOffset, values.byteLength))

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

export function packedMetadata(linears: Record<string, unknown>, tensors: TestTensors): Record<string, string> {
  const hashes = Object.entries(tensors).map(([name, { bytes }]) => [name, sha256(bytes)])
  return {
    signum_format: '1',
    program: 'signum 0.1.0',
    recipe: JSON.stringify({ method: 'rtn', parameters: { bits: 2 } }),
    calibration: 'null',
    source: '{}',
    linears: JSON.stringify(linears),
    sha256: JSON.stringify(Object.fromEntries(hashes)),
  }
}

export async function writeShard(
  path: string,
  linears: Record<string, unknown>,
  tensors: TestTensors,
  metadata: Record<string, string> = {},
): Promise<void> {
  await writeFile(path, safetensorsBytes(tensors, { ...packedMetadata(linears, tensors), ...metadata }))
}

/** The same without a file. */
export function memorySource(linears: Record<string, Layout>, tensors: TestTensors): TensorSource {
  const entries = Object.entries(tensors)
  return {
    path: 'memory',
    linears: new Map(Object.entries(linears)),
    tensors: new Map(entries.map(([name, { dtype, shape, bytes }]) => [name, { dtype, shape, bytes: bytes.length }])),
    read: (name, begin, end) => Promise.resolve(tensors[name]!.bytes.slice(begin, end)),
  }
}
