// The weights that a run was made from: a Hugging Face folder with one safetensors file, or several and their index.
import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Shape } from '../contract/pictures.ts'
import { fileError, PackedError } from '../packed/errors.ts'
import { parseJson } from '../packed/json.ts'
import type { ScalarType } from '../packed/layout.ts'
import { indexName } from '../packed/model.ts'
import type { RowRange } from '../packed/parts.ts'
import { openSafetensors, type SafetensorsFile } from '../packed/safetensors.ts'
import { scalarsToF32 } from '../packed/scalars.ts'
import { homesOf, requireInside } from './inside.ts'

export interface Original {
  /** Rows of `P.weight` as F32; throws when it is not there, or not of this shape. */
  rows(linear: string, shape: Shape, range: RowRange): Promise<Float32Array>
  close(): Promise<void>
}

const singleName = 'model.safetensors'
const types = new Map<string, ScalarType>([
  ['F32', 'f32'],
  ['F16', 'f16'],
  ['BF16', 'bf16'],
])
const indexSchema = z.object({
  // A file beside the index, as in a packed folder.
  weight_map: z.record(z.string(), z.string().regex(/^[^/\\]+\.safetensors$/, 'not a file name')),
})

/** Fails at once when there is no such folder; the files are opened as they are needed. */
export async function openOriginal(folder: string): Promise<Original> {
  const homes = homesOf(folder)
  const home = await homeOfTensors(folder, homes)
  const files = new Map<string, Promise<SafetensorsFile>>()
  const open = (name: string) => {
    const file = files.get(name) ?? openInside(join(folder, name), homes)
    files.set(name, file)
    // A file that comes back, a drive that was away, is looked for again.
    file.catch(() => files.delete(name))
    return file
  }
  return {
    async rows(linear, { rows, columns }, { first, count }) {
      const name = `${linear}.weight`
      const file = await open(home(name))
      const tensor = file.tensors.get(name)
      if (!tensor) throw new PackedError('tensor_missing', `${file.path} has no tensor ${name}.`)
      const type = types.get(tensor.dtype)
      if (type === undefined || tensor.shape.length !== 2 || tensor.shape[0] !== rows || tensor.shape[1] !== columns) {
        const shape = `${tensor.dtype} [${tensor.shape.join(', ')}]`
        const sentence = `Tensor ${name} of ${file.path} is ${shape} and the packed linear is [${rows}, ${columns}].`
        throw new PackedError('packed_broken', sentence)
      }
      const row = columns * (type === 'f32' ? 4 : 2)
      return scalarsToF32(type, await file.read(name, first * row, (first + count) * row))
    },
    async close() {
      const opened = await Promise.allSettled(files.values())
      for (const file of opened) if (file.status === 'fulfilled') await file.value.close()
    },
  }
}

/** Tensor -> name of the file that holds it. */
async function homeOfTensors(folder: string, homes: readonly string[]): Promise<(tensor: string) => string> {
  const path = join(folder, indexName)
  const there = await access(path).then(
    () => true,
    () => false,
  )
  if (!there) {
    await requireInside(join(folder, singleName), homes)
    return () => singleName
  }
  await requireInside(path, homes)
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw fileError(path, cause)
  })
  const homeOf = new Map(Object.entries(parseJson(indexSchema, text, path, 'packed_broken').weight_map))
  return (tensor) => {
    const file = homeOf.get(tensor)
    if (file === undefined) throw new PackedError('tensor_missing', `${path} names no tensor ${tensor}.`)
    return file
  }
}

async function openInside(file: string, homes: readonly string[]): Promise<SafetensorsFile> {
  await requireInside(file, homes)
  return openSafetensors(file)
}
