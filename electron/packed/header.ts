// The JSON header of a safetensors file, read from untrusted bytes: every number in it is checked before it is used.
import { z } from 'zod'
import { PackedError } from './errors.ts'
import { check, parseJson } from './json.ts'

/** Bytes per element. */
export const dtypeBytes = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
} as const
export type Dtype = keyof typeof dtypeBytes

export interface Tensor {
  readonly dtype: Dtype
  readonly shape: readonly number[]
  /** Position of the first byte, counted from the end of the header. */
  readonly begin: number
  readonly bytes: number
}

export interface Header {
  /** In the order in which the tensors lie in the file. */
  readonly tensors: ReadonlyMap<string, Tensor>
  readonly metadata: ReadonlyMap<string, string>
}

const size = z.int().nonnegative()
const headerSchema = z.record(z.string(), z.unknown())
const metadataSchema = z.record(z.string(), z.string())
const tensorSchema = z.object({
  dtype: z.string(),
  shape: z.array(size),
  data_offsets: z.tuple([size, size]),
})

/** `dataBytes`: what the file holds after the header; the tensors must fill it without overlap or gap. */
export function parseHeader(text: string, dataBytes: number, file: string): Header {
  const entries = parseJson(headerSchema, text, `The header of ${file}`, 'shard_broken')
  const tensors: [string, Tensor][] = []
  let metadata = {}
  for (const [name, value] of Object.entries(entries)) {
    if (name === '__metadata__') metadata = check(metadataSchema, value, `__metadata__ of ${file}`, 'shard_broken')
    else tensors.push([name, parseTensor(name, value, file)])
  }
  // An empty tensor shares its offset with the next one and has to come first.
  tensors.sort(([, a], [, b]) => a.begin - b.begin || a.bytes - b.bytes)
  let end = 0
  for (const [name, tensor] of tensors) {
    if (tensor.begin < end) throw broken(file, name, `overlaps the tensor before it by ${end - tensor.begin} bytes`)
    if (tensor.begin > end) throw broken(file, name, `comes after a gap of ${tensor.begin - end} bytes`)
    end += tensor.bytes
  }
  if (end !== dataBytes) {
    throw new PackedError('shard_broken', `The header of ${file} describes ${end} bytes and the file has ${dataBytes}.`)
  }
  return { tensors: new Map(tensors), metadata: new Map(Object.entries(metadata)) }
}

function parseTensor(name: string, value: unknown, file: string): Tensor {
  const entry = check(tensorSchema, value, `Tensor ${name} in the header of ${file}`, 'shard_broken')
  const { shape } = entry
  const [begin, end] = entry.data_offsets
  if (!isDtype(entry.dtype)) throw broken(file, name, `has the unknown dtype ${entry.dtype}`)
  const bytes = shape.reduce((product, length) => product * length, dtypeBytes[entry.dtype])
  if (!Number.isSafeInteger(bytes)) throw broken(file, name, 'has a shape too large for any file')
  if (end < begin) throw broken(file, name, `ends at ${end}, before its begin at ${begin}`)
  if (end - begin !== bytes) {
    throw broken(file, name, `takes ${end - begin} bytes and ${entry.dtype} [${shape.join(', ')}] needs ${bytes}`)
  }
  return { dtype: entry.dtype, shape, begin, bytes }
}

const isDtype = (name: string): name is Dtype => Object.hasOwn(dtypeBytes, name)

const broken = (file: string, tensor: string, what: string) =>
  new PackedError('shard_broken', `Tensor ${tensor} of ${file} ${what}.`)
