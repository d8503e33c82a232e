// docs/decode.py, a decoder that a stranger could have written: it must get the bits that the native one gets.
import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { scalarTypes } from './layout.ts'
import { openShard } from './shard.ts'
import { randomHessian, randomWeight, type Shape } from './testing/random.ts'
import { recipes } from './testing/recipes.ts'
import { runLayer } from './testing/worker.ts'
import { f32Tensor, safetensorsBytes } from './testing/write.ts'

const docs = resolve(import.meta.dirname, '..', '..', 'docs')
const numpy = spawnSync('python3', ['-c', 'import numpy, sys; assert sys.version_info >= (3, 9)']).status === 0

const shapes: readonly Shape[] = [
  { rows: 7, columns: 288, deadEvery: 50 },
  { rows: 70, columns: 300, size: 1 },
  { rows: 33, columns: 352, deadEvery: 9, zeros: true },
  { rows: 20, columns: 300, size: 1e-5 },
  { rows: 5, columns: 1 },
]

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'signum-python-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** What `signum-worker layer` makes of recipe number `index`; it holds what it decodes to as well. */
async function packed(index: number): Promise<string> {
  const shape = shapes[index % shapes.length]!
  const { rows, columns } = shape
  const home = await mkdtemp(join(folder, 'layer-'))
  const input = join(home, 'input.safetensors')
  const weight = f32Tensor([rows, columns], randomWeight(shape, 5 * index + 1))
  const hessian = f32Tensor([columns, columns], randomHessian(shape, 5 * index + 2))
  await writeFile(input, safetensorsBytes({ weight, hessian }, {}))
  const recipe = recipes[index]!
  const scale_type = scalarTypes[index % scalarTypes.length]!
  return runLayer(home, input, { ...recipe, parameters: { ...recipe.parameters, scale_type } })
}

function python(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const options = { env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' }, maxBuffer: 2 ** 24 }
  return new Promise((done) => {
    execFile('python3', args, options, (error, stdout, stderr) => {
      done({ code: error ? Number(error.code) : 0, stdout, stderr })
    })
  })
}

/** How many weights of each file differ from what the native decoder wrote beside them, in any bit. */
const differing = `
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from decode import Packed
for path in sys.argv[2:]:
    packed = Packed(path)
    assert packed.names() == ["decoded", "linear.weight"], packed.names()
    ours, native = packed.weight("linear.weight"), packed.read("decoded")
    assert ours.dtype == np.float32 and ours.shape == native.shape, (ours.dtype, ours.shape)
    print((ours.view(np.uint32) != native.view(np.uint32)).sum())
`

describe.skipIf(!numpy)('docs/decode.py', () => {
  test('every recipe, bit for bit', { timeout: 120_000 }, async () => {
    const files = []
    for (const index of recipes.keys()) files.push(await packed(index))
    const { code, stdout, stderr } = await python('-c', differing, docs, ...files)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.trim().split('\n')).toEqual(recipes.map(() => '0'))
  })

  test('a changed byte is refused by name', async () => {
    const path = await packed(recipes.findIndex(({ method }) => method === 'arb-rc'))
    const shard = await openShard(path)
    const { begin } = shard.tensors.get('linear.plane2')!
    const at = 8 + shard.file.headerBytes + begin
    await shard.close()
    const byte = (await readFile(path))[at]!
    const file = await open(path, 'r+')
    await file.write(Uint8Array.of(byte ^ 1), 0, 1, at)
    await file.close()
    const { code, stderr } = await python(join(docs, 'decode.py'), path)
    expect(code).toBe(1)
    expect(stderr).toContain('linear.plane2 has not the bytes that were written')
  })
})
