// Tiny linears with every expected value worked out by hand.
import { expect, test } from 'vitest'
import { decodeLinear, decodeRows } from './decode.ts'
import type { Layout } from './layout.ts'
import { codes, plane, scalars, u16 } from './testing/pack.ts'
import { memorySource, tensor, type TestTensors } from './testing/write.ts'

const source = (layout: Layout, tensors: TestTensors) => memorySource({ P: layout }, tensors)
const decode = async (layout: Layout, tensors: TestTensors) => [...(await decodeLinear(source(layout, tensors), 'P'))]

test('rtn: step times the distance from the zero code, per group', async () => {
  // 3 bits, 5 columns in groups of 2, 2 and 1.
  const layout: Layout = { method: 'rtn', rows: 2, columns: 5, bits: 3, group: 2, scale_type: 'f16' }
  const tensors = {
    'P.code': tensor('U8', [2, 2], codes(3, [0, 7, 3, 4, 1], [5, 5, 2, 6, 0])),
    'P.code_scale': tensor('F16', [2, 3], scalars('f16', 0.5, 2, 0.25, 1, 0.125, 4)),
    'P.code_zero': tensor('U8', [2, 3], Uint8Array.from([3, 4, 0, 5, 200, 1])),
  }
  const row0 = [0.5 * (0 - 3), 0.5 * (7 - 3), 2 * (3 - 4), 0, 0.25 * 1]
  const row1 = [0, 0, 0.125 * (2 - 200), 0.125 * (6 - 200), 4 * (0 - 1)]
  expect(await decode(layout, tensors)).toEqual([...row0, ...row1])
})

test('rtn: a symmetric grid has its zero in the middle of the codes', async () => {
  const layout: Layout = { method: 'rtn', rows: 1, columns: 4, bits: 3, group: 2, scale_type: 'f16', symmetric: true }
  const tensors = {
    'P.code': tensor('U8', [1, 2], codes(3, [0, 7, 4, 5])),
    'P.code_scale': tensor('F16', [1, 2], scalars('f16', 0.5, 2)),
  }
  expect(await decode(layout, tensors)).toEqual([0.5 * (0 - 4), 0.5 * (7 - 4), 0, 2 * (5 - 4)])
})

test('gptq: the product is rounded to F32, and stored columns go where order says', async () => {
  const layout: Layout = {
    method: 'gptq',
    rows: 1,
    columns: 3,
    bits: 2,
    group: 3,
    scale_type: 'f32',
    order: 'Q.order',
  }
  const scale = 1 + 2 ** -23
  const tensors = {
    'P.code': tensor('U8', [1, 1], codes(2, [3, 1, 0])),
    'P.code_scale': tensor('F32', [1, 1], scalars('f32', scale)),
    'P.code_zero': tensor('U8', [1, 1], Uint8Array.from([0])),
    'Q.order': tensor('U16', [3], u16(2, 0, 1)),
  }
  // 3 * (1 + 2^-23) = 3 + 3 * 2^-23 lies halfway between 3 + 2^-22 and 3 + 2^-21; the even one is 3 + 2^-21.
  expect(await decode(layout, tensors)).toEqual([scale, 0, 3 + 2 ** -21])
})

test('billm: two signs in salient columns, two groups elsewhere, a rounding after each sum', async () => {
  // 3 columns in blocks of 2 and 1; column 1 is salient. Slots are [slot][row][block].
  const layout: Layout = { method: 'billm', rows: 2, columns: 3, blocksize: 2, scale_type: 'f32', salient_columns: 1 }
  const ulp = 2 ** -24 // half the step above 1: 1 + ulp is a tie and goes to 1
  const scale = [
    [1, 90, ulp, 91], // salient first order: row 0 block 0, row 0 block 1, row 1 block 0, row 1 block 1
    [0.25, 92, ulp, 93], // salient second order
    [2, 4, 8, 16], // sparse
    [3, 5, 7, 9], // concentrated
  ].flat()
  const mean = [
    [0.5, 94, 1, 95], // salient
    [10, 20, 30, 40], // sparse
    [-1, -2, -3, -4], // concentrated
  ].flat()
  const tensors = {
    'P.sign': tensor('U8', [2, 1], plane('101', '010')),
    'P.plane2': tensor('U8', [2, 1], plane('110', '011')),
    'P.salient': tensor('U8', [1], plane('010')),
    'P.scale': tensor('F32', [4, 2, 2], scalars('f32', ...scale)),
    'P.mean': tensor('F32', [3, 2, 2], scalars('f32', ...mean)),
  }
  const row0 = [10 + 2, 0.5 - 1 + 0.25, -2 + 5]
  const row1 = [-3 - 7, 1, 40 - 16] // r(r(1 + ulp) + ulp) = 1; rounded once it would be 1 + 2^-23
  expect(await decode(layout, tensors)).toEqual([...row0, ...row1])
})

test('arb with column groups: every group has its mean, and plane3 the second sign by rank', async () => {
  // 4 columns in one block; columns 1 and 3 are salient: 1 in the sparse group, 3 in the concentrated one.
  const layout: Layout = {
    method: 'arb',
    rows: 1,
    columns: 4,
    blocksize: 4,
    scale_type: 'bf16',
    column_group_bitmap: true,
    salient_columns: 2,
  }
  const tensors = {
    'P.sign': tensor('U8', [1, 1], plane('0110')),
    'P.plane2': tensor('U8', [1, 1], plane('1100')),
    'P.plane3': tensor('U8', [1, 1], plane('01')),
    'P.salient': tensor('U8', [1], plane('0101')),
    'P.scale': tensor('BF16', [6, 1, 1], scalars('bf16', 1, 2, 4, 8, 16, 32)),
    'P.mean': tensor('BF16', [4, 1, 1], scalars('bf16', 0.5, 0.25, -3, 5)),
  }
  expect(await decode(layout, tensors)).toEqual([-3 - 16, 0.5 + 1 - 2, 5 + 32, 0.25 - 4 + 8])
})

test('arb-rc: products are rounded before their sum', async () => {
  // 3 columns in blocks of 2 and 1; column 0 is salient.
  const layout: Layout = {
    method: 'arb-rc',
    rows: 1,
    columns: 3,
    blocksize: 2,
    scale_type: 'f32',
    column_group_bitmap: false,
    salient_columns: 1,
  }
  const c = 1 + 2 ** -12 // c * c = 1 + 2^-11 + 2^-24, a tie that goes to 1 + 2^-11
  const tensors = {
    'P.sign': tensor('U8', [1, 1], plane('101')),
    'P.plane2': tensor('U8', [1, 1], plane('010')),
    'P.salient': tensor('U8', [1], plane('100')),
    'P.row_scale': tensor('F32', [4, 1, 2], scalars('f32', c, 90, 1, 91, 3, 92, 93, 5)),
    'P.column_scale': tensor('F32', [2, 3], scalars('f32', c, 7, 94, 1, 95, 0.5)),
  }
  const salient = 2 ** -11 // r(c * c) - r(1 * 1); in one go it would be 2^-11 + 2^-24
  expect(await decode(layout, tensors)).toEqual([salient, -(3 * 7), 5 * 0.5])
})

test('arb-rc with column groups: plane3 holds the second sign by rank among the salient columns', async () => {
  // 4 columns in one block; columns 1 and 3 are salient: 1 in the sparse group, 3 in the concentrated one.
  const layout: Layout = {
    method: 'arb-rc',
    rows: 1,
    columns: 4,
    blocksize: 4,
    scale_type: 'bf16',
    column_group_bitmap: true,
    salient_columns: 2,
  }
  const columnScale = [
    [2, 0.5, 4, 90], // other sparse (column 0); salient sparse, first order (column 1)
    [91, 0.25, 8, 92], // other concentrated (column 2); salient sparse, second order
    [0, 93, 0, 3], // salient concentrated, first order (column 3)
    [0, 94, 0, 5], // salient concentrated, second order
  ].flat()
  const tensors = {
    'P.sign': tensor('U8', [1, 1], plane('0110')),
    'P.plane2': tensor('U8', [1, 1], plane('1100')),
    'P.plane3': tensor('U8', [1, 1], plane('01')),
    'P.salient': tensor('U8', [1], plane('0101')),
    'P.row_scale': tensor('BF16', [6, 1, 1], scalars('bf16', 1, 2, 4, 8, 16, 32)),
    'P.column_scale': tensor('BF16', [4, 4], scalars('bf16', ...columnScale)),
  }
  expect(await decode(layout, tensors)).toEqual([-(16 * 2), 1 * 0.5 - 2 * 0.25, 32 * 8, -(4 * 3) + 8 * 5])
})

test('arb with two splits: three groups, in two bits that are never both set', async () => {
  // 5 columns in one block; column 2 is salient and has one group: its second sign is in plane2.
  const layout: Layout = {
    method: 'arb',
    rows: 1,
    columns: 5,
    blocksize: 8,
    scale_type: 'f16',
    column_group_bitmap: false,
    splits: 2,
    salient_columns: 1,
  }
  const tensors = {
    'P.sign': tensor('U8', [1, 1], plane('10110')),
    'P.plane2': tensor('U8', [1, 1], plane('10100')),
    'P.group2': tensor('U8', [1, 1], plane('01001')),
    'P.salient': tensor('U8', [1], plane('00100')),
    'P.scale': tensor('F16', [5, 1, 1], scalars('f16', 1, 2, 4, 8, 16)),
    'P.mean': tensor('F16', [4, 1, 1], scalars('f16', 0.5, 100, 200, 300)),
  }
  expect(await decode(layout, tensors)).toEqual([100 + 4, 200 - 8, 0.5 + 1 + 2, 300 + 16, 200 - 8])
  const both = { ...tensors, 'P.group2': tensor('U8', [1, 1], plane('11001')) }
  await expect(decode(layout, both)).rejects.toThrow('A weight of P is in a group that its layout does not have.')
})

test('arb-rc with three splits and column groups: every group has its row and column scales', async () => {
  // 6 columns in one block; columns 0 and 5 are salient.
  const layout: Layout = {
    method: 'arb-rc',
    rows: 1,
    columns: 6,
    blocksize: 8,
    scale_type: 'f32',
    column_group_bitmap: true,
    splits: 3,
    salient_columns: 2,
  }
  const rowScale = [1, 2, 3, 4, 5, 6, 7, 8, 10, 20, 30, 40] // four salient groups of two orders, then the other four
  const columnScale = Array.from({ length: 8 }, (_, slot) => [0, 1, 2, 3, 4, 5].map((j) => 100 * slot + j))
  const tensors = {
    'P.sign': tensor('U8', [1, 1], plane('110101')),
    'P.plane2': tensor('U8', [1, 1], plane('011000')), // groups: 3 - (2 * plane2 + group2)
    'P.group2': tensor('U8', [1, 1], plane('110010')), // 2, 0, 1, 3, 2, 3
    'P.plane3': tensor('U8', [1, 1], plane('01')),
    'P.salient': tensor('U8', [1], plane('100001')),
    'P.row_scale': tensor('F32', [12, 1, 1], scalars('f32', ...rowScale)),
    'P.column_scale': tensor('F32', [8, 6], scalars('f32', ...columnScale.flat())),
  }
  const others = [10 * 1, -20 * 102, 40 * 303, -30 * 204]
  expect(await decode(layout, tensors)).toEqual([5 * 400 - 6 * 500, ...others, 7 * 605 + 8 * 705])
})

const pbLlm = { method: 'pb-llm', rows: 3, columns: 5, group: 3, scale_type: 'f32', salient_bits: 3 } as const
const ofPbLlm = {
  'P.salient_count': tensor('U16', [3], u16(2, 0, 1)),
  'P.sign': tensor('U8', [3, 1], plane('10110', '01101', '00001')),
  'P.mean': tensor('F32', [3, 2], scalars('f32', 1, 0.5, -1, 2, 0, 0.25)),
  'P.scale': tensor('F32', [3, 2], scalars('f32', 0.5, 4, 2, 1, 2 ** -24, 8)),
  'P.code_scale': tensor('F32', [3], scalars('f32', 2, 90, 0.125)),
  'P.code_zero': tensor('U8', [3], Uint8Array.from([1, 91, 7])),
  // Lower bits of the codes at (0, 1), (0, 3), (2, 4); the top bits are in the sign plane: 0, 1, 1.
  'P.code': tensor('U8', [1], codes(2, [3, 0, 2])),
}
const decodedPbLlm = [
  [1.5, 2 * (3 - 1), 1.5, 2 * (4 - 1), 0.5 - 4],
  [-1 - 2, -1 + 2, -1 + 2, 2 - 1, 2 + 1],
  [0 - 2 ** -24, 0 - 2 ** -24, 0 - 2 ** -24, 0.25 - 8, 0.125 * (6 - 7)],
]
test.each<[string, number, TestTensors]>([
  ['a plane', 0, { 'P.mask': tensor('U8', [3, 1], plane('01010', '00000', '00001')) }],
  // Columns in pairs, so three zeros a row: 1 = bucket 0, 3 = bucket 1, 4 = bucket 2.
  [
    'Elias-Fano code',
    1,
    {
      'P.mask_low': tensor('U8', [1], plane('110')),
      'P.mask_high': tensor('U8', [2], plane('10100 000 0010')),
    },
  ],
])('pb-llm with %s: codes where the mask says so, signs elsewhere', async (_, mask_low_bits, mask) => {
  const layout: Layout = { ...pbLlm, salient_weights: 3, mask_low_bits }
  const tensors = { ...ofPbLlm, ...mask }
  expect(await decode(layout, tensors)).toEqual(decodedPbLlm.flat())
  for (const [first, count] of [
    [0, 1],
    [1, 2],
    [2, 1],
    [1, 0],
  ] as const) {
    const rows = await decodeRows(source(layout, tensors), 'P', { first, count })
    expect([...rows]).toEqual(decodedPbLlm.slice(first, first + count).flat())
  }
})

test('fdb: two planes of 0 and 1, each with its scale, and a rounding of their sum', async () => {
  // 3 columns in groups of 2 and 1. Slots are [scale][row][group].
  const layout: Layout = { method: 'fdb', rows: 2, columns: 3, group: 2, scale_type: 'f32' }
  const ulp = 2 ** -24 // 1 + ulp is a tie and goes to 1
  const tensors = {
    'P.sign': tensor('U8', [2, 1], plane('110', '101')),
    'P.plane2': tensor('U8', [2, 1], plane('011', '100')),
    'P.scale': tensor('F32', [2, 2, 2], scalars('f32', 3, 90, 1, -4, -2, 7, ulp, 91)),
  }
  expect(await decode(layout, tensors)).toEqual([3, 3 - 2, 7, 1, 0, -4])
})

const signumRc: Layout = {
  method: 'signum-rc',
  rows: 2,
  columns: 3,
  blocksize: 2,
  scale_type: 'f16',
  second_columns: 1,
  column_scales: true,
  order: 'P.order',
}
const signumTensors = {
  'P.sign': tensor('U8', [2, 1], plane('101', '011')),
  'P.row_scale': tensor('F16', [2, 2], scalars('f16', 1, 2, 3, 4)),
  'P.column_scale': tensor('F16', [3], scalars('f16', 0.5, 0.25, 8)),
  'P.sign2': tensor('U8', [2, 1], plane('0', '1')),
  'P.row_scale2': tensor('F16', [2, 1], scalars('f16', 2, 4)),
  'P.column_scale2': tensor('F16', [1], scalars('f16', 0.125)),
  'P.order': tensor('U16', [3], u16(1, 2, 0)),
}

test('signum-rc: the first k stored columns have a second product', async () => {
  // Stored: row 0 = 0.5 - 0.25, -0.25, 16; row 1 = -1.5 + 0.5, 0.75, 32. Input columns are 1, 2, 0.
  expect(await decode(signumRc, signumTensors)).toEqual([16, 0.25, -0.25, 32, -1, 0.75])
})

test('signum-rc: the first of those have a third one, added last', async () => {
  const layout: Layout = { ...signumRc, second_columns: 2, third_columns: 1 }
  const tensors = {
    ...signumTensors,
    'P.sign2': tensor('U8', [2, 1], plane('01', '11')),
    'P.column_scale2': tensor('F16', [2], scalars('f16', 0.125, 0.5)),
    'P.sign3': tensor('U8', [2, 1], plane('1', '0')),
    'P.row_scale3': tensor('F16', [2, 1], scalars('f16', 0.5, 0.25)),
    'P.column_scale3': tensor('F16', [1], scalars('f16', 0.125)),
  }
  // Stored: row 0 = 0.5 - 0.25 + 0.0625, -0.25 + 1, 16; row 1 = -1.5 + 0.5 - 0.03125, 0.75 + 2, 32.
  expect(await decode(layout, tensors)).toEqual([16, 0.3125, 0.75, 32, -1.03125, 2.75])
})

test('signum-rc without column scales and without second columns: row scales only, and a signed zero', async () => {
  const layout: Layout = {
    method: 'signum-rc',
    rows: 2,
    columns: 3,
    blocksize: 4,
    scale_type: 'f16',
    second_columns: 0,
    column_scales: false,
  }
  const tensors = {
    'P.sign': tensor('U8', [2, 1], plane('100', '101')),
    'P.row_scale': tensor('F16', [2, 1], scalars('f16', 1.5, 0)),
  }
  expect(await decode(layout, tensors)).toEqual([1.5, -1.5, -1.5, 0, -0, 0])
})

test('a range of rows is that part of the whole', async () => {
  const rows = await decodeRows(source(signumRc, signumTensors), 'P', { first: 1, count: 1 })
  expect([...rows]).toEqual([32, -1, 0.75])
  await expect(decodeRows(source(signumRc, signumTensors), 'P', { first: 1, count: 2 })).rejects.toThrow(RangeError)
})

test('rows of a tensor with slots before its row axis', async () => {
  const layout: Layout = { method: 'billm', rows: 3, columns: 1, blocksize: 1, scale_type: 'bf16', salient_columns: 0 }
  const tensors = {
    'P.sign': tensor('U8', [3, 1], plane('1', '0', '1')),
    'P.plane2': tensor('U8', [3, 1], plane('0', '1', '0')),
    'P.salient': tensor('U8', [1], plane('0')),
    'P.scale': tensor('BF16', [4, 3, 1], scalars('bf16', 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6)),
    'P.mean': tensor('BF16', [3, 3, 1], scalars('bf16', 0, 0, 0, 10, 20, 30, 40, 50, 60)),
  }
  expect(await decode(layout, tensors)).toEqual([44, 18, 66])
  const rows = await decodeRows(source(layout, tensors), 'P', { first: 1, count: 2 })
  expect([...rows]).toEqual([18, 66])
})
