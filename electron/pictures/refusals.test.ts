// What must not be answered, what is missing, what is broken, what happens to the files.
import { mkdir, readdir, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Problem } from '../contract/errors.ts'
import { tilePath } from '../contract/pictures.ts'
import type { Layout } from '../packed/layout.ts'
import { scalars, u16 } from '../packed/testing/pack.ts'
import { f32Tensor, tensor, type TestTensors } from '../packed/testing/write.ts'
import { wholePicture } from './testing/matrix.ts'
import { randomLinear } from './testing/random-linear.ts'
import { picturesOfRuns, writeRun } from './testing/run-folder.ts'
import type { PictureBook } from './pictures.ts'

const P = 'model.layers.0.self_attn.q_proj'
const K = 'model.layers.1.self_attn.k_proj'
const layout: Layout = { method: 'rtn', rows: 2, columns: 300, bits: 2, group: 300, scale_type: 'f16' }
const shape = { rows: 2, columns: 300 }
const values = Float32Array.from({ length: 600 }, (_, k) => (k % 7) / 4)
const weight = f32Tensor([2, 300], values)
const shard = (name: string) => ({ linears: { [name]: layout }, tensors: randomLinear(name, layout, 5).tensors })

const open = async (originals: Record<string, TestTensors> = { 'model.safetensors': { [`${P}.weight`]: weight } }) => {
  const run = await writeRun([shard(P)], originals)
  return { run, pictures: picturesOfRuns(run) }
}
async function problemAt(pictures: PictureBook, path: string): Promise<{ status: number } & Problem> {
  const { status, type, bytes } = await pictures.answer(path)
  expect(type).toBe('application/json')
  return { status, ...(JSON.parse(new TextDecoder().decode(bytes)) as Problem) }
}
const original = { level: 0, row: 0, column: 0 }

test.each([
  ['', 'nothing'],
  ['/pictures/', 'no run'],
  [`/pictures/1/${P}/sign/0/0`, 'a number missing'],
  [`/pictures/1/${P}/sign/0/0/0/0`, 'a number too many'],
  [`/pictures/1/${P}/sign/0/0/00`, 'a number written otherwise'],
  [`/pictures/1/${P}/sign/0/0/-1`, 'a negative number'],
  [`/pictures/1/${P}/sign/0/0/1e3`, 'a power'],
  [`/pictures/1/${P}/sign/0/0/99999999999999999999`, 'a number beyond all'],
  [`/pictures/01/${P}/sign/0/0/0`, 'a run written otherwise'],
  [`/pictures/x/${P}/sign/0/0/0`, 'a run without a number'],
  [`/pictures/1/${P}/toString/0/0/0`, 'an unknown kind'],
  [`/pictures/1/${P}/Sign/0/0/0`, 'another case'],
  ['/pictures/1/../sign/0/0/0', 'a way up'],
  ['/pictures/1/a..b/sign/0/0/0', 'dots in the name'],
  ['/pictures/1/%2e%2e/sign/0/0/0', 'an encoded way up'],
  [`/pictures/1/${P.replace('.', '%2e')}/sign/0/0/0`, 'an encoded dot'],
  [`/pictures/1/${P}%00/sign/0/0/0`, 'an encoded zero'],
  [`/pictures/1/a\\b/sign/0/0/0`, 'a backslash'],
  [`/pictures/1/${P}/sign/0/0/0\n`, 'a line end'],
  [`/pictures/1/${P}/sign/0/0/0?x`, 'a query'],
  [`/pictures/1/${P}/flipped/0/0/0`, 'a difference without another run'],
  [`/pictures/1@2/${P}/sign/0/0/0`, 'a picture of one run of two'],
  [`/pictures/1@1/${P}/flipped/0/0/0`, 'a run against itself'],
  [`/pictures/1@02/${P}/flipped/0/0/0`, 'another run written otherwise'],
  [`/pictures/1@/${P}/flipped/0/0/0`, 'no other run'],
  [`/pictures/1@2@3/${P}/flipped/0/0/0`, 'three runs'],
  [`/pictures/1%402/${P}/flipped/0/0/0`, 'an encoded at sign'],
  [`/pictures/1@Original/${P}/flipped/0/0/0`, 'another case of the original'],
  [`/pictures/1@original/${P}/change/0/0/0`, 'errors of the original'],
  [`/pictures/1@original/${P}/cell/0/0`, 'a weight of a pair'],
  [`/pictures/1@original/a..b/flipped/0/0/0`, 'dots in the name of a pair'],
  [`/pictures/1@original/${P}/flipped/0/0/2`, 'a tile of a pair beyond the matrix'],
  [`/pictures/1/${P}/edge/`, 'an edge without a name'],
  [`/pictures/1/${P}/edge/Hessian`, 'an edge in another case'],
  [`/pictures/1/${P}/edge/hessian`, 'a diagonal that was not kept'],
  [`/pictures/1/${P}/edge/constructor`, 'an edge that no layout has'],
  [`/pictures/1/${P}/edge/salient`, 'an edge that this layout has not'],
  [`/pictures/1/${P}/edge/../edge/salient`, 'a way up to an edge'],
  [`/pictures/1/${P}/cell/0`, 'half a cell'],
  [`/pictures/1/${P}/sign/0/0/2`, 'a column of tiles beyond the matrix'],
  [`/pictures/1/${P}/sign/0/1/0`, 'a row of tiles beyond the matrix'],
  [`/pictures/1/${P}/sign/2/0/0`, 'a level beyond the top'],
  [`/pictures/1/${P}/second/0/0/0`, 'a picture that the layout has not'],
  [`/pictures/1/${P}/cell/2/0`, 'a row beyond the matrix'],
  [`/pictures/1/${P}/cell/0/300`, 'a column beyond the matrix'],
])('%s: %s', async (path) => {
  const { pictures } = await open()
  expect(await problemAt(pictures, path)).toMatchObject({ status: 404, code: 'request_invalid' })
})

test('runs and linears that nobody knows', async () => {
  const { pictures } = await open()
  expect(await problemAt(pictures, tilePath(2, P, 'sign', original))).toMatchObject({
    status: 404,
    code: 'run_unknown',
  })
  const unknown = { status: 404, code: 'tensor_missing' }
  expect(await problemAt(pictures, tilePath(1, 'constructor', 'sign', original))).toMatchObject(unknown)
  expect(await pictures.list(2)).toMatchObject({ ok: false, problem: { code: 'run_unknown' } })
  expect(await pictures.scale(1, K)).toMatchObject({ ok: false, problem: { code: 'tensor_missing' } })
})

describe('originals', () => {
  const asked = { run: 1, linear: P, kind: 'original', shape } as const
  const seen = [[...values.subarray(0, 300)], [...values.subarray(300)]]
  const bits = (type: 'f16' | 'bf16') => scalars(type, ...values)

  test.each([
    ['F32', weight],
    ['F16', tensor('F16', [2, 300], bits('f16'))],
    ['BF16', tensor('BF16', [2, 300], bits('bf16'))],
  ])('%s', async (_, stored) => {
    const { pictures } = await open({ 'model.safetensors': { [`${P}.weight`]: stored } })
    expect(await wholePicture(pictures, asked)).toEqual(seen)
  })

  test('in several files, each linear in its own', async () => {
    const run = await writeRun([shard(P), shard(K)], {
      'model-1.safetensors': {
        [`${K}.weight`]: f32Tensor(
          [2, 300],
          values.map((value) => -value),
        ),
      },
      'model-2.safetensors': { [`${P}.weight`]: weight },
    })
    const pictures = picturesOfRuns(run)
    expect(await wholePicture(pictures, asked)).toEqual(seen)
    const negative = seen.map((row) => row.map((value) => -value))
    expect(await wholePicture(pictures, { ...asked, linear: K })).toEqual(negative)
  })

  test.each<[string, TestTensors, string]>([
    [
      'another shape',
      { [`${P}.weight`]: f32Tensor([300, 2], values) },
      'is F32 [300, 2] and the packed linear is [2, 300]',
    ],
    ['another dtype', { [`${P}.weight`]: tensor('U8', [2, 300], new Uint8Array(600)) }, 'is U8 [2, 300]'],
    ['another name', { other: tensor('U16', [1], u16(1)) }, `has no tensor ${P}.weight`],
  ])('%s: a sentence instead of a picture, and the other pictures stay', async (_, tensors, sentence) => {
    const { pictures } = await open({ 'model.safetensors': tensors })
    const problem = await problemAt(pictures, tilePath(1, P, 'original', original))
    expect(problem).toMatchObject({ status: 500, message: expect.stringContaining(sentence) as string })
    expect((await pictures.answer(tilePath(1, P, 'quantized', original))).status).toBe(200)
  })

  test('gone: said in the list', async () => {
    const { run } = await open()
    await rm(run.model, { recursive: true })
    for (const model of [run.model, null]) {
      const pictures = picturesOfRuns({ ...run, model })
      const listed = await pictures.list(1)
      expect(listed).toMatchObject({ ok: true, value: { linears: [{ pictures: ['quantized', 'sign', 'code'] }] } })
      expect(listed.ok && listed.value.original_problem?.message).toMatch(/is not there|Nobody knows/)
      expect(await problemAt(pictures, tilePath(1, P, 'error', original))).toMatchObject({ code: 'tensor_missing' })
      expect(await pictures.scale(1, P)).toMatchObject({ ok: true, value: { error: null } })
    }
  })
})

describe('links', () => {
  async function moveAside(file: string): Promise<string> {
    const outside = join(dirname(dirname(file)), 'outside.safetensors')
    await rename(file, outside)
    await symlink(outside, file)
    return outside
  }
  test('out of the packed folder', async () => {
    const { run, pictures } = await open()
    const [file] = (await readdir(run.packed)).filter((name) => name.endsWith('.safetensors'))
    await moveAside(join(run.packed, file!))
    const problem = { status: 500, code: 'read_failed' }
    expect(await problemAt(pictures, tilePath(1, P, 'sign', original))).toMatchObject(problem)
  })
  test('out of the folder of the model', async () => {
    const { run, pictures } = await open()
    await moveAside(join(run.model, 'model.safetensors'))
    const listed = await pictures.list(1)
    expect(listed.ok && listed.value.original_problem?.message).toMatch(/outside its folder/)
  })
  test('in the cache of the hub, to its own blobs', async () => {
    const { run } = await open()
    const hub = join(dirname(run.model), 'models--owner--name')
    const snapshot = join(hub, 'snapshots', 'abc')
    await rename(run.model, join(dirname(run.model), 'blobs'))
    await mkdir(snapshot, { recursive: true })
    await rename(join(dirname(run.model), 'blobs'), join(hub, 'blobs'))
    await symlink(join('..', '..', 'blobs', 'model.safetensors'), join(snapshot, 'model.safetensors'))
    const listed = await picturesOfRuns({ ...run, model: snapshot }).list(1)
    expect(listed).toMatchObject({ ok: true, value: { original_problem: null } })
  })
})

test('a broken packed folder is a sentence', async () => {
  const { run, pictures } = await open()
  const [file] = (await readdir(run.packed)).filter((name) => name.endsWith('.safetensors'))
  await writeFile(join(run.packed, file!), 'x')
  expect(await problemAt(pictures, tilePath(1, P, 'sign', original))).toMatchObject({
    status: 500,
    code: 'shard_broken',
  })
  expect(await pictures.list(1)).toMatchObject({ ok: false, problem: { code: 'shard_broken' } })
})

test.runIf(process.platform === 'linux')('a forgotten run has no file open, and is looked up anew', async () => {
  const { run, pictures } = await open()
  const openFiles = async () => {
    const handles = await readdir('/proc/self/fd')
    const files = await Promise.all(handles.map((handle) => readlink(`/proc/self/fd/${handle}`).catch(() => '')))
    return files.filter((file) => file.startsWith(dirname(run.packed))).length
  }
  expect((await pictures.answer(tilePath(1, P, 'error', original))).status).toBe(200)
  expect(await openFiles()).toBe(2)
  await pictures.forget(1)
  expect(await openFiles()).toBe(0)
  await rm(run.packed, { recursive: true })
  // Neither the files nor what was computed from them is there any more.
  expect(await problemAt(pictures, tilePath(1, P, 'error', original))).toMatchObject({ code: 'shard_missing' })
})

test('a forgotten run is read anew: what was computed from its old files is gone', async () => {
  const { run, pictures } = await open()
  const asked = { run: 1, linear: P, kind: 'code', shape } as const
  const before = await wholePicture(pictures, asked)
  const other = await writeRun([{ linears: { [P]: layout }, tensors: randomLinear(P, layout, 6).tensors }])
  await pictures.forget(1)
  await rm(run.packed, { recursive: true })
  await rename(other.packed, run.packed)
  const after = await wholePicture(pictures, asked)
  expect(after).not.toEqual(before)
  expect(after).toEqual(await wholePicture(picturesOfRuns(run), asked))
})
