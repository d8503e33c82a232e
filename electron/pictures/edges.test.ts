// Numbers along the edges of linears whose every tensor is known.
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { edgePath, type Edge } from '../contract/pictures.ts'
import { decodeLinear } from '../packed/decode.ts'
import type { Layout } from '../packed/layout.ts'
import { openPackedModel } from '../packed/model.ts'
import { scalarsToF32 } from '../packed/scalars.ts'
import { bell, uniform } from '../packed/testing/random.ts'
import { f32Tensor, safetensorsBytes } from '../packed/testing/write.ts'
import { randomLinear } from './testing/random-linear.ts'
import { picturesOfRuns, writeRun } from './testing/run-folder.ts'
import type { PictureBook } from './pictures.ts'

const P = 'model.layers.3.mlp.up_proj'
const common = { blocksize: 64, scale_type: 'f16' } as const

async function runOf(layout: Layout) {
  const made = randomLinear(P, layout, 7)
  const { rows, columns } = layout
  const next = uniform(11)
  const original = Float32Array.from({ length: rows * columns }, () => bell(next))
  const weight = { [`${P}.weight`]: f32Tensor([rows, columns], original) }
  const run = await writeRun([{ linears: { [P]: layout }, tensors: made.tensors }], { 'model.safetensors': weight })
  const diagnostics = join(dirname(run.packed), 'diagnostics')
  return { ...made, original, run, diagnostics, pictures: picturesOfRuns({ ...run, diagnostics }) }
}
async function listed(pictures: PictureBook): Promise<Edge[]> {
  const edges = await pictures.edges(1, P)
  if (!edges.ok) throw new Error(edges.problem.message)
  return edges.value
}
async function values(pictures: PictureBook, edge: string): Promise<Float32Array> {
  const { status, bytes } = await pictures.answer(edgePath(1, P, edge))
  if (status !== 200) throw new Error(new TextDecoder().decode(bytes))
  return new Float32Array(bytes.slice().buffer)
}
const stored = (made: Awaited<ReturnType<typeof runOf>>, role: string) =>
  scalarsToF32('f16', made.tensors[`${P}.${role}`]!.bytes)

test('signum-rc: scales by row and block, and by column in the order of the inputs', async () => {
  const made = await runOf({
    ...common,
    method: 'signum-rc',
    rows: 40,
    columns: 300,
    second_columns: 71,
    column_scales: true,
    order: `${P}.order`,
  })
  const edges = await listed(made.pictures)
  expect(edges.map(({ id, along, strips }) => `${id} ${along} ${strips}`)).toEqual([
    'row_scale rows 5',
    'column_scale columns 1',
    'row_scale2 rows 2',
    'column_scale2 columns 1',
    'column-error columns 1',
    'salient columns 1',
  ])
  expect(edges[2]!.title).toBe('Row scale, second plane')
  const rowScale = stored(made, 'row_scale')
  const found = await values(made.pictures, 'row_scale')
  for (let t = 0; t < 5; t++) for (let i = 0; i < 40; i++) expect(found[t * 40 + i]).toBe(rowScale[i * 5 + t])
  const columnScale = stored(made, 'column_scale2')
  const order = new Uint16Array(made.tensors[`${P}.order`]!.bytes.slice().buffer)
  const expected = new Float32Array(300).fill(NaN)
  columnScale.forEach((value, j) => (expected[order[j]!] = value))
  expect(await values(made.pictures, 'column_scale2')).toEqual(expected)
  expect([...(await values(made.pictures, 'salient'))]).toEqual(made.truth.salient)
})

test('arb with groups: every slot by its name', async () => {
  const made = await runOf({
    ...common,
    method: 'arb',
    rows: 9,
    columns: 140,
    salient_columns: 20,
    column_group_bitmap: true,
    splits: 2,
  })
  const edges = await listed(made.pictures)
  const titles = edges.filter(({ along }) => along === 'rows').map(({ title }) => title)
  expect(titles).toEqual([
    'Row scale, salient first sign, sparse group',
    'Row scale, salient second sign, sparse group',
    'Row scale, salient first sign, 2 of 3 group',
    'Row scale, salient second sign, 2 of 3 group',
    'Row scale, salient first sign, concentrated group',
    'Row scale, salient second sign, concentrated group',
    'Row scale, sparse group',
    'Row scale, 2 of 3 group',
    'Row scale, concentrated group',
    'Mean, salient, sparse group',
    'Mean, salient, 2 of 3 group',
    'Mean, salient, concentrated group',
    'Mean, sparse group',
    'Mean, 2 of 3 group',
    'Mean, concentrated group',
  ])
  const scale = stored(made, 'scale')
  const found = await values(made.pictures, 'scale-7')
  for (let t = 0; t < 3; t++) for (let i = 0; i < 9; i++) expect(found[t * 9 + i]).toBe(scale[(7 * 9 + i) * 3 + t])
})

test('pb-llm: salient weights of every column; and the error of every column is that of its weights', async () => {
  const layout: Layout = {
    method: 'pb-llm',
    rows: 300,
    columns: 700,
    salient_bits: 5,
    scale_type: 'f16',
    group: 32,
    salient_weights: 9000,
    mask_low_bits: 0,
  }
  const made = await runOf(layout)
  expect((await listed(made.pictures)).map(({ id }) => id)).toEqual([
    'mean',
    'scale',
    'code_scale',
    'column-error',
    'salient-weights',
  ])
  const column = (j: number) => made.truth.mask!.map((row) => row[j]!)
  const counts = await values(made.pictures, 'salient-weights')
  expect([...counts]).toEqual(Array.from({ length: 700 }, (_, j) => column(j).filter((bit) => bit === 1).length))
  const packed = await openPackedModel(made.run.packed)
  const quantized = await decodeLinear(packed, P)
  await packed.close()
  const errors = await values(made.pictures, 'column-error')
  for (let j = 0; j < 700; j++) {
    let squares = 0
    for (let i = 0; i < 300; i++) squares += Math.fround(quantized[i * 700 + j]! - made.original[i * 700 + j]!) ** 2
    expect(errors[j]).toBeCloseTo(Math.sqrt(squares / 300), 6)
  }
})

test('the diagonal of the Hessian, where the run kept one', async () => {
  const layout: Layout = { method: 'rtn', rows: 2, columns: 5, bits: 2, group: 5, scale_type: 'f16' }
  const made = await runOf(layout)
  const ids = async () => (await listed(made.pictures)).map(({ id }) => id)
  expect(await ids()).not.toContain('hessian')
  await mkdir(made.diagnostics)
  const file = join(made.diagnostics, 'layer-00003.safetensors')
  const diagonal = Float32Array.from([0.5, 1e-8, 3e9, 0, 2])
  const name = `${P}.hessian_diagonal`
  await writeFile(file, safetensorsBytes({ [name]: f32Tensor([5], diagonal) }, { signum_diagnostics: '1' }))
  expect(await ids()).toContain('hessian')
  expect(await values(made.pictures, 'hessian')).toEqual(diagonal)

  await writeFile(file, safetensorsBytes({ [name]: f32Tensor([4], diagonal.slice(1)) }, {}))
  expect(await made.pictures.edges(1, P)).toMatchObject({ ok: false, problem: { code: 'packed_broken' } })
  await writeFile(file, 'no header')
  expect(await made.pictures.edges(1, P)).toMatchObject({ ok: false, problem: { code: 'shard_broken' } })
})

test('numbers that were given away are there again', async () => {
  const made = await runOf({ method: 'rtn', rows: 2, columns: 5, bits: 2, group: 5, scale_type: 'f16' })
  const first = await made.pictures.answer(edgePath(1, P, 'code_scale'))
  const bytes = [...first.bytes]
  expect(bytes).toHaveLength(8)
  structuredClone(first.bytes, { transfer: [first.bytes.buffer] })
  const second = await made.pictures.answer(edgePath(1, P, 'code_scale'))
  expect([...second.bytes]).toEqual(bytes)
})

test('a diagonal that is a link to elsewhere is refused', async () => {
  const layout: Layout = { method: 'rtn', rows: 2, columns: 5, bits: 2, group: 5, scale_type: 'f16' }
  const made = await runOf(layout)
  await mkdir(made.diagnostics)
  await symlink(join(made.run.model, 'model.safetensors'), join(made.diagnostics, 'layer-00003.safetensors'))
  expect(await made.pictures.edges(1, P)).toMatchObject({ ok: false, problem: { code: 'read_failed' } })
})
