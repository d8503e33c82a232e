import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { bitNumbers } from './bits.ts'
import { decodeLinear } from './decode.ts'
import { indexName, openPackedModel } from './model.ts'
import { testFolder } from './testing/folder.ts'
import { codes, plane, scalars, u16 } from './testing/pack.ts'
import { tensor, writeShard, type TestTensors } from './testing/write.ts'

const q = 'model.layers.0.self_attn.q_proj'
const k = 'model.layers.0.self_attn.k_proj'
const layer0: TestTensors = {
  'model.layers.0.norm.weight': tensor('F32', [4], scalars('f32', 1, 1, 1, 1)),
  [`${q}.code_scale`]: tensor('F16', [2, 1], scalars('f16', 1, 2)),
  [`${q}.order`]: tensor('U16', [4], u16(0, 2, 1, 3)),
  [`${k}.row_scale`]: tensor('F16', [1, 1], scalars('f16', 0.5)),
  [`${k}.row_scale2`]: tensor('F16', [1, 1], scalars('f16', 0.25)),
  [`${q}.code`]: tensor('U8', [2, 1], codes(2, [0, 1, 2, 3], [3, 2, 1, 0])),
  [`${q}.code_zero`]: tensor('U8', [2, 1], Uint8Array.from([1, 2])),
  [`${k}.sign`]: tensor('U8', [1, 1], plane('1100')),
  [`${k}.sign2`]: tensor('U8', [1, 1], plane('10')),
}
const linears = {
  [q]: { method: 'gptq', rows: 2, columns: 4, bits: 2, group: 4, scale_type: 'f16', order: `${q}.order` },
  [k]: {
    method: 'signum-rc',
    rows: 1,
    columns: 4,
    blocksize: 4,
    scale_type: 'f16',
    second_columns: 2,
    column_scales: false,
    order: `${q}.order`,
  },
}
const rest: TestTensors = {
  'lm_head.weight': tensor('BF16', [5, 4], new Uint8Array(40)),
  'model.embed_tokens.weight': tensor('BF16', [5, 4], new Uint8Array(40)),
}
const files = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'] as const

/** Codes of 4 bits in the place of both tables. */
const table = { method: 'rtn', rows: 5, columns: 4, bits: 4, group: 4, scale_type: 'f16' }
const embed = 'model.embed_tokens'
const packedTable: TestTensors = {
  [`${embed}.code_scale`]: tensor('F16', [5, 1], scalars('f16', 1, 1, 1, 1, 0.5)),
  [`${embed}.code`]: tensor(
    'U8',
    [5, 2],
    codes(4, [0, 1, 2, 3], [4, 4, 4, 4], [5, 6, 7, 8], [0, 0, 0, 0], [15, 0, 8, 9]),
  ),
  [`${embed}.code_zero`]: tensor('U8', [5, 1], Uint8Array.from([0, 0, 0, 0, 8])),
}

interface Changes {
  rest?: TestTensors
  tables?: Record<string, unknown>
  shard?: TestTensors
  linears?: Record<string, unknown>
  index?: (index: { metadata: Record<string, unknown>; weight_map: Record<string, string> }) => void
}
async function writeModel(changes: Changes = {}): Promise<string> {
  const last = changes.rest ?? rest
  const folder = await testFolder()
  const first = changes.shard ?? layer0
  await writeShard(join(folder, files[0]), changes.linears ?? linears, first)
  const metadata = changes.tables && { tables: JSON.stringify(changes.tables) }
  await writeShard(join(folder, files[1]), {}, last, metadata)
  const sizes = [...Object.values(first), ...Object.values(last)].map(({ bytes }) => bytes.length)
  const index = {
    metadata: { total_size: sizes.reduce((total, size) => total + size), signum_format: '1' },
    weight_map: Object.fromEntries([
      ...Object.keys(first).map((name) => [name, files[0]]),
      ...Object.keys(last).map((name) => [name, files[1]]),
    ]) as Record<string, string>,
  }
  changes.index?.(index)
  await writeFile(join(folder, indexName), JSON.stringify(index))
  await writeFile(join(folder, 'config.json'), JSON.stringify({ tie_word_embeddings: true }))
  return folder
}
async function open(folder: string) {
  const model = await openPackedModel(folder)
  onTestFinished(() => model.close())
  return model
}

test('linears of all shards, decoded', async () => {
  const model = await open(await writeModel())
  expect([...model.linears.keys()]).toEqual([q, k])
  // Row 0: (code - 1) * 1 = -1 0 1 2; row 1: (code - 2) * 2 = 2 0 -2 -4; stored columns are input columns 0, 2, 1, 3.
  expect([...(await decodeLinear(model, q))]).toEqual([-1, 1, 0, 2, 2, -2, 0, -4])
  expect([...(await decodeLinear(model, k))]).toEqual([0.75, -0.5, 0.25, -0.5])
})

test('three numbers of bits', async () => {
  const folder = await writeModel()
  const model = await open(folder)
  const { nominal, linear, file } = await bitNumbers(model)
  expect(nominal).toBe((8 * 2 + 4 * 1.5) / 12)
  // code_scale 4, order 8 (once), row_scale 2, row_scale2 2, code 2, code_zero 2, sign 1, sign2 1.
  expect(linear).toBe((8 * 22) / 12)
  const bytes = [...model.shards.values()].map((shard) => shard.file.size).reduce((total, size) => total + size)
  expect(file).toBe((8 * bytes) / (12 + 4 + 20)) // weights, norm, and one table that is stored twice
  await writeFile(join(folder, 'config.json'), '{}')
  expect((await bitNumbers(model)).file).toBe((8 * bytes) / (12 + 4 + 40))
  // Some families tie the two where nothing is said.
  for (const [config, tables] of [
    [{ model_type: 'gemma2' }, 1],
    [{ model_type: 'opt', tie_word_embeddings: false }, 2],
    [{ model_type: 'llama', tie_word_embeddings: null }, 2],
  ] as const) {
    await writeFile(join(folder, 'config.json'), JSON.stringify(config))
    expect((await bitNumbers(model)).file).toBe((8 * bytes) / (12 + 4 + 20 * tables))
  }
})

test('a linear that is kept counts as it is stored', async () => {
  const down = 'model.layers.0.mlp.down_proj.weight'
  const model = await open(
    await writeModel({ shard: { ...layer0, [down]: tensor('BF16', [3, 4], new Uint8Array(24)) } }),
  )
  const { nominal, linear, file } = await bitNumbers(model)
  expect(nominal).toBe((8 * 2 + 4 * 1.5 + 12 * 16) / 24)
  expect(linear).toBe((8 * (22 + 24)) / 24)
  const bytes = [...model.shards.values()].map((shard) => shard.file.size).reduce((total, size) => total + size)
  expect(file).toBe((8 * bytes) / (24 + 4 + 20))
})

test('a packed table is read as a linear is, and counts in the files alone', async () => {
  const model = await open(await writeModel({ rest: packedTable, tables: { [embed]: table } }))
  expect([...model.linears.keys()]).toEqual([q, k])
  expect([...(await decodeLinear(model, embed))].slice(16)).toEqual([3.5, -4, 0, 0.5])
  const { linear, file } = await bitNumbers(model)
  expect(linear).toBe((8 * 22) / 12)
  const bytes = [...model.shards.values()].map((shard) => shard.file.size).reduce((total, size) => total + size)
  expect(file).toBe((8 * bytes) / (12 + 4 + 20))
})

test('sha256 of tensors', async () => {
  const folder = await writeModel()
  const model = await open(folder)
  for (const name of model.tensors.keys()) expect(await model.verify(name)).toBe(true)
  const changed = { ...layer0, [`${k}.sign`]: tensor('U8', [1, 1], plane('0100')) }
  const metadata = Object.fromEntries([...model.shards.get(files[0])!.file.metadata])
  await writeShard(join(folder, files[0]), linears, changed, metadata)
  const again = await open(folder)
  expect(await again.verify(`${k}.sign`)).toBe(false)
  expect(await again.verify(`${k}.sign2`)).toBe(true)
})

const without = (name: string) => Object.fromEntries(Object.entries(layer0).filter(([key]) => key !== name))
test.each<[string, Changes, string]>([
  ['no signum_format', { index: (index) => delete index.metadata.signum_format }, 'signum_format'],
  ['format 2', { index: (index) => (index.metadata.signum_format = '2') }, 'has packed format 2'],
  ['another total size', { index: (index) => (index.metadata.total_size = 1) }, 'and the index says 1'],
  ['a file elsewhere', { index: (index) => (index.weight_map.x = '../x.safetensors') }, 'not a file name'],
  ['a tensor in no shard', { index: (index) => (index.weight_map.x = files[0]) }, 'names tensor x'],
  ['a tensor not in the index', { index: (index) => delete index.weight_map[`${k}.sign`] }, `${k}.sign is in model-`],
  ['a role missing', { shard: without(`${k}.row_scale2`) }, `no tensor ${k}.row_scale2, which must be F16 [1, 1]`],
  ['the shared order missing', { shard: without(`${q}.order`) }, `no tensor ${q}.order`],
  ['a weight beside its planes', { shard: { ...layer0, [`${k}.weight`]: rest['lm_head.weight']! } }, 'a weight too'],
  ['a table of another method', { tables: { [embed]: { ...table, method: 'gptq' } } }, 'a table is not rtn'],
  ['a table without codes', { tables: { [embed]: table } }, `${embed} is quantized and has a weight too`],
  [
    'a table that is a linear',
    { rest: packedTable, tables: { [embed]: table, [q]: { ...table, rows: 2, bits: 2 } } },
    `${q} is a table and a linear`,
  ],
  ['a wrong layout', { linears: { [k]: { ...linears[k], blocksize: 0 } } }, `at ${k} > blocksize`],
])('folder with %s', async (_, changes, sentence) => {
  const error = await open(await writeModel(changes)).catch((caught: unknown) => caught)
  expect(error).toMatchObject({ code: 'packed_broken' })
  expect(error).toHaveProperty('message', expect.stringContaining(sentence))
})

test('a shard that is not there', async () => {
  const folder = await writeModel({ index: (index) => (index.weight_map.x = 'model-00003-of-00002.safetensors') })
  await expect(openPackedModel(folder)).rejects.toMatchObject({ code: 'shard_missing' })
})
