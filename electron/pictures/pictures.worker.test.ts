// Linears that the native worker quantized: the pictures show what the decoder says, for every kind of layout.
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { topLevel, type Cell, type PictureKind } from '../contract/pictures.ts'
import { decodeLinear } from '../packed/decode.ts'
import { openShard } from '../packed/shard.ts'
import { indexName } from '../packed/model.ts'
import { randomHessian, randomWeight } from '../packed/testing/random.ts'
import { recipes } from '../packed/testing/recipes.ts'
import { runLayer } from '../packed/testing/worker.ts'
import { f32Tensor, safetensorsBytes } from '../packed/testing/write.ts'
import { coarser, wholePicture } from './testing/matrix.ts'
import { picturesOfRuns } from './testing/run-folder.ts'

const shape = { rows: 270, columns: 300 }
let folder = ''
let input = ''
let model = ''
const weight = f32Tensor([shape.rows, shape.columns], randomWeight(shape, 1))
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'signum-pictures-'))
  input = join(folder, 'input.safetensors')
  const hessian = f32Tensor([shape.columns, shape.columns], randomHessian(shape, 2))
  await writeFile(input, safetensorsBytes({ weight, hessian }, {}))
  model = join(folder, 'model')
  await mkdir(model)
  await writeFile(join(model, 'model.safetensors'), safetensorsBytes({ 'linear.weight': weight }, {}))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** What `signum-worker layer` wrote is one shard of a packed folder; an index makes it a folder. */
async function packed(output: string): Promise<string> {
  const home = await mkdtemp(join(folder, 'packed-'))
  await rename(output, join(home, 'model.safetensors'))
  const shard = await openShard(join(home, 'model.safetensors'))
  const total_size = [...shard.tensors.values()].reduce((total, { bytes }) => total + bytes, 0)
  const weight_map = Object.fromEntries([...shard.tensors.keys()].map((name) => [name, 'model.safetensors']))
  await shard.close()
  await writeFile(join(home, indexName), JSON.stringify({ metadata: { total_size, signum_format: '1' }, weight_map }))
  expect(await readdir(home)).toHaveLength(2)
  return home
}

test.each(recipes.map((recipe) => ({ recipe, name: `${recipe.method} ${JSON.stringify(recipe.parameters)}` })))(
  '$name',
  async ({ recipe }) => {
    const typed = { ...recipe, parameters: { ...recipe.parameters, scale_type: 'f16' } }
    const home = await packed(await runLayer(folder, input, typed))
    const pictures = picturesOfRuns({ packed: home, model })
    const shard = await openShard(join(home, 'model.safetensors'))
    const decoded = await decodeLinear(shard, 'linear')
    await shard.close()

    const listed = await pictures.list(1)
    if (!listed.ok) throw new Error(listed.problem.message)
    const [linear] = listed.value.linears
    expect(linear).toMatchObject({ ...shape, method: recipe.method })
    const whole = (kind: PictureKind, level = 0) =>
      wholePicture(pictures, { run: 1, linear: 'linear', kind, shape }, level)
    const quantized = await whole('quantized')
    expect(quantized.flat()).toEqual([...decoded])
    const top = topLevel(shape)
    const means = coarser(quantized, top, false).flat()
    const seen = (await whole('quantized', top)).flat()
    const far = seen.filter((value, k) => Math.abs(value - means[k]!) > 1e-6)
    expect(far).toEqual([])
    for (const [row, column] of [
      [0, 0],
      [269, 299],
      [100, 171],
    ] as const) {
      const { bytes } = await pictures.answer(`/pictures/1/linear/cell/${row}/${column}`)
      const cell = JSON.parse(new TextDecoder().decode(bytes)) as Cell
      const value = quantized[row]![column]!
      expect(cell.quantized).toBe(value)
      expect(cell.levels).toContain(value + 0)
      for (const kind of linear!.pictures.filter((one) => one === 'sign' || one === 'second')) {
        const bit = (await whole(kind))[row]![column]!
        expect(cell[kind]).toBe(Number.isNaN(bit) ? null : bit === 1 ? 1 : -1)
      }
    }
  },
)
