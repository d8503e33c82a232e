// Writes the smallest safetensors files that tests need, whole in memory.
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { dtypeBytes, type Dtype } from '../header.ts'
import type { Layout } from '../layout.ts'
import type { TensorSource } from '../source.ts'

export interface TestTensor {
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
}
export type TestTensors = Record<string, TestTensor>

export function tensor(dtype: Dtype, shape: readonly number[], bytes: Uint8Array): TestTensor {
  const size = shape.reduce((product, length) => product * length, dtypeBytes[dtype])
  if (bytes.length !== size) throw new Error(`${dtype} [${shape.join(', ')}] needs ${size} bytes, not ${bytes.length}`)
  return { dtype, shape, bytes }
}

export const f32Tensor = (shape: readonly number[], values: Float32Array) =>
  tensor('F32', shape, new Uint8Array(values.buffer, values.byteOffset, values.byteLength))

/** `header` replaces the header that the tensors have, for tests of files that lie. */
export function safetensorsBytes(tensors: TestTensors, metadata: Record<string, string>, header?: unknown): Uint8Array {
  let end = 0
  const entries = Object.entries(tensors).map(([name, { dtype, shape, bytes }]) => {
    const begin = end
    end += bytes.length
    return [name, { dtype, shape, data_offsets: [begin, end] }]
  })
  const text = JSON.stringify(header ?? { __metadata__: metadata, ...Object.fromEntries(entries) })
  return fileBytes(text, ...Object.values(tensors).map(({ bytes }) => bytes))
}

/** A header length, the header, the data. */
export function fileBytes(header: string, ...data: Uint8Array[]): Uint8Array {
  const length = Buffer.alloc(8)
  const text = Buffer.from(header)
  length.writeBigUInt64LE(BigInt(text.length))
  return Buffer.concat([length, text, ...data])
}

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
