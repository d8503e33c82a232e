// Linears whose tensors do not fit their layout, and layouts that say nonsense.
import { describe, expect, test } from 'vitest'
import { decodeLinear } from './decode.ts'
import { layoutSchema, type Layout } from './layout.ts'
import { codes, plane, scalars, u16 } from './testing/pack.ts'
import { memorySource, tensor, type TestTensors } from './testing/write.ts'

const layout: Layout = { method: 'gptq', rows: 1, columns: 4, bits: 2, group: 4, scale_type: 'f16', order: 'P.order' }
const good: TestTensors = {
  'P.code': tensor('U8', [1, 1], codes(2, [0, 1, 2, 3])),
  'P.code_scale': tensor('F16', [1, 1], scalars('f16', 1)),
  'P.code_zero': tensor('U8', [1, 1], Uint8Array.from([0])),
  'P.order': tensor('U16', [4], u16(3, 2, 1, 0)),
}
const decode = (tensors: TestTensors) => decodeLinear(memorySource({ P: layout }, tensors), 'P')

describe('tensors that do not fit the layout', () => {
  test('the good ones do', async () => {
    expect([...(await decode(good))]).toEqual([3, 2, 1, 0])
  })
  test.each<[string, TestTensors, string]>([
    ['dtype', { 'P.code_scale': tensor('BF16', [1, 1], u16(0)) }, 'is BF16 [1, 1] and must be F16 [1, 1]'],
    ['shape', { 'P.code': tensor('U8', [2, 1], u16(0)) }, 'P.code of memory is U8 [2, 1] and must be U8 [1, 1]'],
    ['order of another width', { 'P.order': tensor('U16', [3], u16(0, 1, 2)) }, 'must be U16 [4]'],
    [
      'order with a column twice',
      { 'P.order': tensor('U16', [4], u16(0, 1, 1, 2)) },
      'does not name each of 4 columns',
    ],
    ['order with a column too far', { 'P.order': tensor('U16', [4], u16(0, 1, 2, 4)) }, 'does not name each of 4'],
  ])('%s', async (_, replaced, sentence) => {
    const error = await decode({ ...good, ...replaced }).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'packed_broken' })
    expect(error).toHaveProperty('message', expect.stringContaining(sentence))
  })
  test.each(Object.keys(good))('no %s', async (name) => {
    const rest = Object.fromEntries(Object.entries(good).filter(([key]) => key !== name))
    await expect(decode(rest)).rejects.toMatchObject({ code: 'packed_broken' })
  })
  test('no such linear', async () => {
    await expect(decodeLinear(memorySource({}, good), 'P')).rejects.toMatchObject({ code: 'tensor_missing' })
  })
  test('a salient bitmap with another count than the layout', async () => {
    const billm: Layout = { method: 'billm', rows: 1, columns: 2, blocksize: 2, scale_type: 'f32', salient_columns: 1 }
    const tensors = {
      'P.sign': tensor('U8', [1, 1], plane('10')),
      'P.plane2': tensor('U8', [1, 1], plane('10')),
      'P.salient': tensor('U8', [1], plane('11')),
      'P.scale': tensor('F32', [4, 1, 1], scalars('f32', 1, 1, 1, 1)),
      'P.mean': tensor('F32', [3, 1, 1], scalars('f32', 1, 1, 1)),
    }
    await expect(decodeLinear(memorySource({ P: billm }, tensors), 'P')).rejects.toMatchObject({
      code: 'packed_broken',
      message: 'The layout of P says 1 salient columns and its bitmap has 2.',
    })
  })
})

test.each<[string, number[], string, string, string]>([
  ['another number of salient weights', [1, 0], '1', '100', 'says 2 salient weights and its rows have 1'],
  ['a row with more than its count', [1, 1], '11', '1100 000', 'not the 1 salient weights'],
  ['a row with fewer', [2, 0], '11', '1000 100', 'not the 2 salient weights'],
  ['a column twice', [2, 0], '11', '1100 000', 'not the 2 salient weights'],
  ['a column too far', [1, 1], '11', '0100 100', 'not the 1 salient weights'],
])('a mask with %s', async (_, counts, low, high, sentence) => {
  const layout: Layout = {
    method: 'pb-llm',
    rows: 2,
    columns: 3,
    group: 3,
    scale_type: 'f16',
    salient_bits: 4,
    salient_weights: 2,
    mask_low_bits: 1,
  }
  const numbers = (shape: number[]) => tensor('F16', shape, scalars('f16', 1, 1))
  const tensors = {
    'P.salient_count': tensor('U16', [2], u16(...counts)),
    'P.mask_low': tensor('U8', [1], plane(low)),
    'P.mask_high': tensor('U8', [1], plane(high)),
    'P.sign': tensor('U8', [2, 1], plane('000', '000')),
    'P.code': tensor('U8', [1], plane('000000')),
    'P.mean': numbers([2, 1]),
    'P.scale': numbers([2, 1]),
    'P.code_scale': numbers([2]),
    'P.code_zero': tensor('U8', [2], Uint8Array.from([0, 0])),
  }
  const error = await decodeLinear(memorySource({ P: layout }, tensors), 'P').catch((caught: unknown) => caught)
  expect(error).toMatchObject({ code: 'packed_broken' })
  expect(error).toHaveProperty('message', expect.stringContaining(sentence))
})

const signumRc = {
  method: 'signum-rc',
  rows: 1,
  columns: 2,
  blocksize: 1,
  scale_type: 'f16',
  second_columns: 0,
  column_scales: true,
}
test.each<[string, object]>([
  ['method', { ...layout, method: 'other' }],
  ['0 bits', { ...layout, bits: 0 }],
  ['9 bits', { ...layout, bits: 9 }],
  ['group 0', { ...layout, group: 0 }],
  ['half a row', { ...layout, rows: 1.5 }],
  ['scale type', { ...layout, scale_type: 'f64' }],
  ['an order for rtn', { ...layout, method: 'rtn' }],
  ['an unknown key', { ...layout, transposed: true }],
  ['a missing key', { ...signumRc, column_scales: undefined }],
  ['more second columns than columns', { ...signumRc, second_columns: 3 }],
  ['more third columns than second columns', { ...signumRc, second_columns: 1, third_columns: 2 }],
  ['third columns that are none', { ...signumRc, third_columns: 0 }],
])('layout with wrong %s', (_, value) => {
  expect(layoutSchema.safeParse(layout).success).toBe(true)
  expect(layoutSchema.safeParse(signumRc).success).toBe(true)
  expect(layoutSchema.safeParse(value).success).toBe(false)
})
