// The native program packs and decodes; this folder decodes the same bytes and must get the same bits.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compareLayerFile, layerDifferences } from './compare.ts'
import { scalarTypes } from './layout.ts'
import { openShard } from './shard.ts'
import { faults } from './testing/conformance.ts'
import { randomHessian, randomWeight, type Shape } from './testing/random.ts'
import { recipes, type Recipe } from './testing/recipes.ts'
import { runLayer } from './testing/worker.ts'
import { f32Tensor, safetensorsBytes } from './testing/write.ts'

// Widths that no block, group or byte divides, next to some that they do.
const shapes: readonly Shape[] = [
  { rows: 1, columns: 172 },
  { rows: 7, columns: 288, deadEvery: 50 },
  { rows: 70, columns: 300, size: 1 },
  { rows: 33, columns: 352, deadEvery: 9, zeros: true },
  { rows: 5, columns: 1 },
  { rows: 20, columns: 300, size: 1e-5 },
  { rows: 3, columns: 65, deadEvery: 65 },
  { rows: 64, columns: 128 },
]
const nameOf = ({ rows, columns }: Shape) => `${rows} x ${columns}`

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'signum-decoder-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const inputs = new Map<Shape, Promise<string>>()
function inputOf(shape: Shape): Promise<string> {
  const input = inputs.get(shape) ?? writeInput(shape)
  inputs.set(shape, input)
  return input
}

async function writeInput(shape: Shape): Promise<string> {
  const { rows, columns } = shape
  const path = join(folder, `input-${shapes.indexOf(shape)}.safetensors`)
  const weight = f32Tensor([rows, columns], randomWeight(shape, 7 * rows + columns))
  const hessian = f32Tensor([columns, columns], randomHessian(shape, rows + 11 * columns))
  await writeFile(path, safetensorsBytes({ weight, hessian }, {}))
  return path
}

const described = recipes.map((recipe, index) => {
  const parameters = Object.entries(recipe.parameters).map(([key, value]) => `${key} ${value}`)
  return { recipe, index, name: `${recipe.method}: ${parameters.join(', ')}` }
})
describe.each(described)('$name', ({ recipe, index }) => {
  // Every recipe meets every scale type; the shapes rotate, so that each method meets them all.
  const cases = scalarTypes.flatMap((type, turn) =>
    [0, 1, 2].map((step) => ({ type, shape: shapes[(index + 3 * turn + step) % shapes.length]! })),
  )
  test.each(cases.map((item) => ({ ...item, size: nameOf(item.shape) })))('$type, $size', async ({ type, shape }) => {
    const typed: Recipe = { ...recipe, parameters: { ...recipe.parameters, scale_type: type } }
    const output = await runLayer(folder, await inputOf(shape), typed)
    expect(await layerDifferences(output)).toEqual({ count: 0, first: [] })
    expect(await compareLayerFile(output)).toBe(0)
    const shard = await openShard(output)
    try {
      expect(shard.linears.get('linear')).toMatchObject({ method: recipe.method, scale_type: type })
      expect(shard.metadata.recipe).toEqual(typed)
      expect(await faults(shard, ['decoded'])).toEqual([])
    } finally {
      await shard.close()
    }
  })
})
