import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findMethod, methodIds, resolveParameters, type MethodId, type Parameters } from '../contract/methods.ts'
import { linearCost, orderBytes, salientColumns, secondColumns, sum } from './linear.ts'

export function parametersOf(id: MethodId, changes: Parameters = {}): Parameters {
  const method = findMethod(id)
  const resolved = method.ok ? resolveParameters(method.value, changes) : method
  if (!resolved.ok) throw new Error(resolved.problem.message)
  return resolved.value
}
const cost = (id: MethodId, changes: Parameters, rows: number, columns: number, salient = 0) =>
  linearCost(id, parametersOf(id, changes), { rows, columns }, salient)

describe('bytes by hand, tensor by tensor', () => {
  test('rtn: codes of the row, one scale and one zero per row', () => {
    expect(cost('rtn', { bits: 3 }, 5, 11).bytes).toMatchObject({ codes: 5 * 5, scales: 5 * 3 })
    expect(cost('rtn', { bits: 2, group: 32, scale_type: 'f32' }, 4, 100).bytes).toMatchObject({
      codes: 4 * 25,
      scales: 4 * 4 * 5,
    })
  })

  test('rtn, gptq: a symmetric grid has no zeros', () => {
    expect(cost('rtn', { bits: 3, symmetric: true }, 5, 11).bytes).toMatchObject({ codes: 5 * 5, scales: 5 * 2 })
    expect(cost('gptq', { symmetric: true, clip_search: true }, 5, 300).bytes.scales).toBe(5 * 3 * 2)
    expect(cost('gptq', { clip_search: true }, 5, 300)).toEqual(cost('gptq', {}, 5, 300))
  })

  test('billm: two planes, one bitmap, seven scalars per row and block', () => {
    expect(cost('billm', {}, 3, 300).bytes).toEqual({
      codes: 0,
      signs: 3 * 38,
      second: 3 * 38,
      bitmaps: 38,
      scales: 7 * 3 * 3 * 2,
    })
  })

  test('arb: as billm, and with the column-group bitmap a third plane and ten scalars per row and block', () => {
    expect(cost('arb', { column_group_bitmap: false }, 3, 300, 17)).toEqual(cost('billm', {}, 3, 300, 17))
    expect(cost('arb-x', {}, 3, 300, 17)).toEqual(cost('arb', {}, 3, 300, 17))
    expect(cost('arb', {}, 3, 300, 17).bytes).toEqual({
      codes: 0,
      signs: 114,
      second: 114 + 3 * 3,
      bitmaps: 38,
      scales: 10 * 3 * 3 * 2,
    })
  })

  test('arb-rc: a third plane only with the column-group bitmap', () => {
    expect(cost('arb-rc', {}, 3, 300, 17).bytes).toEqual({
      codes: 0,
      signs: 114,
      second: 114 + 3 * 3,
      bitmaps: 38,
      scales: (6 * 3 * 3 + 4 * 300) * 2,
    })
    expect(cost('arb-rc', { column_group_bitmap: false }, 3, 300, 17).bytes).toMatchObject({
      second: 114,
      scales: (4 * 3 * 3 + 2 * 300) * 2,
    })
  })

  test('the ARB methods with more splits: a plane of group bits, more slots', () => {
    // 3 x 300 has 3 blocks; 4 groups, with the bitmap 4 salient ones too.
    expect(cost('arb', { splits: 3, column_group_bitmap: false }, 3, 300, 20).bytes).toEqual({
      codes: 0,
      signs: 3 * 38,
      second: 3 * 38,
      bitmaps: 38 + 3 * 38,
      scales: (2 + 4 + 1 + 4) * 3 * 3 * 2,
    })
    expect(cost('arb-x', { splits: 3 }, 3, 300, 20).bytes).toMatchObject({
      second: 3 * 38 + 3 * 3,
      scales: (8 + 4 + 4 + 4) * 3 * 3 * 2,
    })
    expect(cost('arb-rc', { splits: 3 }, 3, 300, 20).bytes.scales).toBe((12 * 3 * 3 + 8 * 300) * 2)
    expect(cost('arb-rc', { splits: 2, column_group_bitmap: false }, 3, 300, 20).bytes.scales).toBe(
      (5 * 3 * 3 + 3 * 300) * 2,
    )
  })

  test('pb-llm: signs, codes less one bit, a mask, its counts, and three scalars and a zero per row', () => {
    // 900 weights: 900 - floor(810) - 1 are salient. Three low bits each, and a high part of 1 bit each and 38 a row.
    expect(cost('pb-llm', {}, 3, 300)).toEqual({
      nominal: 1 + (7 * 89) / 900,
      bytes: {
        codes: 78,
        signs: 3 * 38,
        second: 0,
        bitmaps: 3 * 2 + 34 + 26,
        scales: (2 * 3 + 3) * 2 + 3,
      },
    })
    // Groups of 128, 128 and 44: 191, 191 and 65 of 384, 384 and 132 weights; half of all are better marked one by one.
    expect(cost('pb-llm', { salient_share: 0.5, salient_bits: 4, group: 128, scale_type: 'f32' }, 3, 300)).toEqual({
      nominal: 1 + (3 * 447) / 900,
      bytes: {
        codes: 168,
        signs: 114,
        second: 0,
        bitmaps: 3 * 2 + 114,
        scales: (2 * 9 + 3) * 4 + 3,
      },
    })
  })

  test('fdb: two planes, two scales per row and group', () => {
    expect(cost('fdb', {}, 3, 300)).toEqual({
      nominal: 2,
      bytes: { codes: 0, signs: 3 * 38, second: 3 * 38, bitmaps: 0, scales: 2 * 3 * 5 * 2 },
    })
    expect(cost('fdb', { group: 128, scale_type: 'f32' }, 3, 300).bytes.scales).toBe(2 * 3 * 3 * 4)
  })

  test('signum-rc: nothing of a second or third plane where there is none', () => {
    expect(cost('signum-rc', { second_plane: 0 }, 4, 256).bytes).toMatchObject({
      signs: 128,
      second: 0,
      scales: (4 * 2 + 256) * 2,
    })
    expect(cost('signum-rc', { second_plane: 0.25, column_scales: false }, 4, 300).bytes).toMatchObject({
      signs: 4 * 38,
      second: 4 * 10,
      scales: 4 * (3 + 1) * 2,
    })
    expect(cost('signum-rc', { second_plane: 0.5, third_plane: 0.25, blocksize: 128 }, 4, 300)).toMatchObject({
      nominal: 1.75,
      bytes: { signs: 4 * 38, second: 4 * (19 + 10), scales: (4 * (3 + 2 + 1) + 300 + 150 + 75) * 2 },
    })
  })

  test('a column order takes two bytes per column, four from 65,536 on', () => {
    expect(orderBytes('signum-rc', parametersOf('signum-rc'), 256)).toBe(512)
    expect(orderBytes('gptq', parametersOf('gptq', { order: 'hessian' }), 65_536)).toBe(262_144)
    expect(orderBytes('gptq', parametersOf('gptq'), 256)).toBe(0)
    expect(orderBytes('billm', parametersOf('billm'), 256)).toBe(0)
  })
})

test('in wide layers the papers and the published sizes are met', () => {
  const bits = (id: MethodId, changes: Parameters, salient = 0) =>
    (8 * sum(cost(id, changes, 4096, 4096, salient).bytes)) / 4096 ** 2
  expect(bits('gptq', {})).toBeCloseTo(2 + 24 / 128, 9)
  expect(bits('billm', {})).toBeCloseTo(2.875, 2)
  expect(bits('arb', {}, 0.09 * 4096)).toBeCloseTo(3.35, 1)
  expect(bits('arb-rc', {}, 0.09 * 4096)).toBeCloseTo(2.84 + 64 / 4096, 1)
  expect(bits('pb-llm', {})).toBeCloseTo(2.225 + (16 + 3 * 16 + 8) / 4096, 3)
  expect(bits('fdb', {})).toBe(2.5)
  expect(bits('signum-rc', { second_plane: 0 })).toBeCloseTo(1.13, 2)
  expect(bits('signum-rc', { second_plane: 0.25 })).toBeCloseTo(1.41, 2)
  expect(bits('signum-rc', {})).toBeCloseTo(2.25, 1)
  expect(cost('signum-rc', { second_plane: 0.25 }, 4096, 4096).nominal).toBe(1.25)
  expect(cost('arb-rc', {}, 4096, 4096, 409.6).nominal).toBe(1.1)
})

describe('for any shape', () => {
  const shape = { rows: fc.integer({ min: 1, max: 500 }), columns: fc.integer({ min: 1, max: 700 }) }
  const any = fc.record({ id: fc.constantFrom(...methodIds), ...shape, bits: fc.integer({ min: 2, max: 8 }) })

  test('bytes are whole, and at least one bit per weight', () => {
    fc.assert(
      fc.property(any, ({ id, rows, columns, bits }) => {
        const { bytes, nominal } = cost(id, id === 'rtn' || id === 'gptq' ? { bits } : {}, rows, columns)
        expect(Object.values(bytes).every((part) => Number.isInteger(part) && part >= 0)).toBe(true)
        expect(8 * sum(bytes)).toBeGreaterThanOrEqual(rows * columns)
        expect(8 * sum(bytes)).toBeGreaterThan(nominal >= 2 && id !== 'signum-rc' ? nominal * rows * columns : 0)
      }),
    )
  })

  // Salient weights are a share of all, so there a row more may have one more or less.
  test('rows cost the same each, but for what belongs to columns', () => {
    fc.assert(
      fc.property(any, ({ id, rows, columns }) => {
        fc.pre(id !== 'pb-llm')
        const of = (m: number) => sum(cost(id, {}, m, columns).bytes)
        expect(of(rows + 1) - of(rows)).toBe(of(2) - of(1))
      }),
    )
  })

  test('salient columns stay between one and what the search reaches, block by block', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 700 }), fc.integer({ min: 2, max: 128 }), (columns, most) => {
        const found = salientColumns('billm', parametersOf('billm', { max_salient: most }), columns)!
        const blocks = Math.ceil(columns / 128)
        expect(found.most).toBeGreaterThanOrEqual(blocks)
        expect(found.most).toBeLessThanOrEqual(Math.max(blocks, columns - blocks + 1, 1))
        expect(found.expected).toBeLessThanOrEqual(found.most)
      }),
    )
    expect(salientColumns('billm', parametersOf('billm'), 300)).toEqual({ expected: 27, most: 49 + 49 + 43 })
    expect(salientColumns('rtn', parametersOf('rtn'), 300)).toBeNull()
  })

  test('the second plane has at most all columns, and grows with its share', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.float({ min: 0, max: 1, noNaN: true }), (columns, p) => {
        const k = secondColumns(p, columns)
        expect(Math.abs(k - p * columns)).toBeLessThanOrEqual(0.5)
        expect(k).toBeLessThanOrEqual(columns)
      }),
    )
    expect([secondColumns(0, 9), secondColumns(0.5, 9), secondColumns(1, 9)]).toEqual([0, 5, 9])
  })
})
