// The numbers in GGUF files, read and made by ggml itself, type by type.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { GGMLQuantizationType } from '@huggingface/gguf'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { uniform } from '../models/testing/random.ts'
import { writeRandomModel } from '../models/testing/random-models.ts'
import { blockOf, dequantized, quantized, readGguf, typeName, type StoredTensor } from './testing/ggml-types.ts'
import { askLlamaCpp, llamaCppIsThere, nmse } from './testing/llama-cpp.ts'
import { exportGguf, logitsOf, quantize, type GgufType } from './testing/worker.ts'

const bundled = path.resolve(import.meta.dirname, '..', '..', 'resources', 'models', 'signum-stories-4m')

let root = ''
beforeAll(async () => void (root = await mkdtemp(path.join(tmpdir(), 'signum-types-'))))
afterAll(() => rm(root, { recursive: true }))

const tensorsOf = async (model: string, type: GgufType) => {
  const file = path.join(root, `${path.basename(path.dirname(model))}-${type}.gguf`)
  const result = await exportGguf(model, file, type)
  return { file, result, tensors: await readGguf(file) }
}

/** Blocks that hold the same bytes as ggml's own quantization, of those that it can hold without loss. */
function sameBlocks(tensor: StoredTensor, values: Float32Array): { exact: number; same: number; all: number } {
  const own = quantized(tensor.type, tensor.columns, values)
  const back = dequantized({ ...tensor, bytes: own })
  const [block, size] = blockOf(tensor.type)
  const counts = { exact: 0, same: 0, all: values.length / block }
  for (let i = 0; i < counts.all; i++) {
    const part = values.subarray(i * block, (i + 1) * block)
    if (!part.every((value, j) => value === back[i * block + j])) continue
    counts.exact++
    const ours = tensor.bytes.subarray(i * size, (i + 1) * size)
    if (own.subarray(i * size, (i + 1) * size).equals(ours)) counts.same++
  }
  return counts
}

interface Fit {
  readonly type: 'Q1_0' | 'Q2_0' | 'Q4_0' | 'Q8_0'
  readonly method: string
  readonly parameters: Record<string, unknown>
  readonly calibrated?: boolean
  /** ggml's own quantization loses something in every block: it scales by the largest number. */
  readonly lossyThere?: boolean
}
const natural = { order: 'natural', column_scales: false, second_plane: 0, third_plane: 0 }
const fits: Fit[] = [
  { type: 'Q1_0', method: 'signum-rc', parameters: natural, calibrated: true },
  { type: 'Q2_0', method: 'rtn', parameters: { bits: 2, symmetric: true, group: 64 } },
  { type: 'Q4_0', method: 'rtn', parameters: { bits: 3, group: 32 } },
  { type: 'Q4_0', method: 'rtn', parameters: { bits: 4, symmetric: true, group: 32 } },
  { type: 'Q8_0', method: 'rtn', parameters: { bits: 4, group: 128 }, lossyThere: true },
  { type: 'Q8_0', method: 'rtn', parameters: { bits: 8, symmetric: true, group: 32 } },
]

describe.skipIf(!llamaCppIsThere)('exact fit', () => {
  test.for(fits)(
    '$type: $method $parameters',
    async ({ type, method, parameters, calibrated, lossyThere }, { annotate }) => {
      const run = path.join(root, `${method}-${JSON.stringify(parameters).replaceAll(/\W/g, '')}`)
      const packed = await quantize(bundled, run, method, parameters, calibrated ? 2048 : undefined)
      const meant = (await tensorsOf(packed, 'f32')).tensors
      const { file, result, tensors } = await tensorsOf(packed, 'fit')
      expect(result.verification).toMatchObject({ exact_values: result.verification.values, relative_error: 0 })
      expect(result.types.find((one) => one.type === type)?.tensors).toBe(28)
      expect(result.chosen).toHaveLength(29)
      const blocks = { exact: 0, same: 0, all: 0 }
      for (const [i, tensor] of tensors.entries()) {
        const values = dequantized(meant[i]!)
        expect(tensor.name).toBe(meant[i]!.name)
        expect(dequantized(tensor).every((value, j) => value === values[j])).toBe(true)
        if (typeName(tensor.type) !== type) continue
        const counts = sameBlocks(tensor, values)
        for (const key of ['exact', 'same', 'all'] as const) blocks[key] += counts[key]
      }
      expect(blocks.exact > 0).toBe(!lossyThere)
      expect(blocks.same).toBe(blocks.exact)
      const next = uniform(5)
      const ids = Array.from({ length: 48 }, () => Math.floor(next() * 2048))
      const judged = await askLlamaCpp(root, file, ids, [])
      const difference = nmse(await logitsOf(root, packed, ids), judged.logits)
      const own = `ggml's own bytes in ${blocks.same} of ${blocks.all} blocks`
      await annotate(`NMSE ${difference.toExponential(1)}, ${own}, ${result.bytes} bytes`)
      expect(difference).toBeLessThan(2e-3)
    },
  )
})

describe.skipIf(!llamaCppIsThere)('rounded types have the bytes that ggml makes', () => {
  test.for(['f16', 'bf16', 'q8_0', 'q4_0'] as const)('%s', async (type) => {
    const model = path.join(root, 'random', 'llama')
    await writeRandomModel(model, 'llama')
    const meant = (await tensorsOf(model, 'f32')).tensors
    const { result, tensors } = await tensorsOf(model, type)
    expect(result.chosen).toEqual([])
    let matrices = 0
    for (const [i, tensor] of tensors.entries()) {
      if (tensor.type === GGMLQuantizationType.F32) continue
      matrices++
      expect(typeName(tensor.type).toLowerCase()).toBe(type)
      const values = dequantized(meant[i]!)
      expect(quantized(tensor.type, tensor.columns, values).equals(tensor.bytes)).toBe(true)
    }
    const [stored] = result.types
    expect(stored).toMatchObject({ type: type.toUpperCase(), tensors: matrices })
    const usual = { f16: 2e-4, bf16: 2e-3, q8_0: 6e-3, q4_0: 1e-1 }[type]
    expect(stored!.relative_error).toBeGreaterThan(usual / 4)
    expect(stored!.relative_error).toBeLessThan(usual * 2)
  })
})

describe.skipIf(!llamaCppIsThere)('what the lossy types cost: logits beside those of the model itself', () => {
  test.for([
    ['q8_0', 1e-3],
    ['q4_0', 1e-1],
  ] as const)('%s', async ([type, most], { annotate }) => {
    const { file, result } = await tensorsOf(bundled, type)
    const next = uniform(6)
    const ids = Array.from({ length: 48 }, () => Math.floor(next() * 2048))
    const judged = await askLlamaCpp(root, file, ids, [])
    const difference = nmse(judged.logits, await logitsOf(root, bundled, ids))
    const [stored] = result.types
    await annotate(`NMSE ${difference.toExponential(1)}, weights ${stored!.relative_error.toExponential(1)}`)
    expect(difference).toBeLessThan(most)
    expect(difference).toBeGreaterThan(most / 1e4)
  })
})
