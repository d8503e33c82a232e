// Writes the smallest safetensors files that tests need, whole in memory.

export interface TensorBytes {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
}

/** `header` replaces the header that the tensors have, for tests of files that lie. */
export function safetensorsBytes(
  tensors: Record<string, TensorBytes>,
  metadata: Record<string, string>,
  header?: unknown,
): Uint8Array {
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
