// The tensors of a GGUF file, and ggml's own types to hold them against.
import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { GGMLQuantizationType, gguf } from '@huggingface/gguf'
import { workerPath } from '../../packed/testing/worker.ts'

export interface StoredTensor {
  readonly name: string
  readonly type: GGMLQuantizationType
  readonly columns: number
  readonly bytes: Uint8Array
}

/** By the header as another program reads it. */
export async function readGguf(file: string): Promise<StoredTensor[]> {
  const { tensorInfos, tensorDataOffset } = await gguf(file, { allowLocalFile: true })
  const bytes = await readFile(file)
  return tensorInfos.map(({ name, dtype, shape, offset }) => {
    const begin = Number(tensorDataOffset) + Number(offset)
    const [block, size] = blockOf(dtype)
    const values = shape.reduce((product, side) => product * Number(side), 1)
    return {
      name,
      type: dtype,
      columns: Number(shape[0]),
      bytes: bytes.subarray(begin, begin + (values / block) * size),
    }
  })
}

export const typeName = (type: GGMLQuantizationType): string => GGMLQuantizationType[type]

/** Values in a block and its bytes, as ggml has them. */
export function blockOf(type: GGMLQuantizationType): [number, number] {
  const known = sizes.get(type)
  if (known !== undefined) return known
  const [block, size] = run('size', { type, columns: 0, bytes: new Uint8Array() }).toString().split(' ')
  const found: [number, number] = [Number(block), Number(size)]
  sizes.set(type, found)
  return found
}
const sizes = new Map<GGMLQuantizationType, [number, number]>()

const library = path.join(
  import.meta.dirname,
  '../../../node_modules/@node-llama-cpp/linux-x64/bins/linux-x64/libggml-base.so',
)

/** ggml-types (native/tests/ggml_types.cc) lies beside the worker. */
function run(what: 'size' | 'quantize' | 'dequantize', tensor: Omit<StoredTensor, 'name'>): Buffer {
  const program = path.join(path.dirname(workerPath()), 'ggml-types')
  const { status, stdout, stderr, error } = spawnSync(
    program,
    [library, what, String(tensor.type), String(tensor.columns)],
    { input: tensor.bytes, maxBuffer: 2 ** 28 },
  )
  if (status !== 0) throw new Error(`ggml-types: ${error ? String(error) : stderr.toString()}`)
  return stdout
}

export function dequantized(tensor: Omit<StoredTensor, 'name'>): Float32Array {
  const bytes = tensor.type === GGMLQuantizationType.F32 ? tensor.bytes : run('dequantize', tensor)
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
}

export const quantized = (type: GGMLQuantizationType, columns: number, values: Float32Array): Buffer =>
  run('quantize', { type, columns, bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) })
