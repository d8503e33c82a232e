import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chosenBy, pickPoint, pointOf, worstOf, type CurvePoint } from '../contract/curve.ts'
import { methodIds, type MethodId, type Parameters } from '../contract/methods.ts'
import { curveOf } from './curve.ts'
import { forecast, type Measures } from './forecast.ts'

function modelOf(hidden: number, wide: number, layers: number): Measures {
  const shapes = {
    'self_attn.q_proj': [hidden, hidden],
    'self_attn.k_proj': [hidden / 2, hidden],
    'self_attn.v_proj': [hidden / 2, hidden],
    'self_attn.o_proj': [hidden, hidden],
    'mlp.gate_proj': [wide, hidden],
    'mlp.up_proj': [wide, hidden],
    'mlp.down_proj': [hidden, wide],
  } as const
  const linears = Array.from({ length: layers }, (_, layer) =>
    Object.entries(shapes).map(([name, [rows, columns]]) => {
      const kind = name.split('.')[1]!
      return { name: `model.layers.${layer}.${name}`, layer, kind, rows, columns }
    }),
  ).flat()
  const weights = linears.reduce((total, { rows, columns }) => total + rows * columns, 0)
  return { parameters: weights + 1000 * hidden, dtype: 'F16', linears }
}
const wide = modelOf(2048, 5632, 2)

const anyModel = fc
  .tuple(fc.integer({ min: 16, max: 300 }), fc.integer({ min: 32, max: 900 }), fc.integer({ min: 1, max: 2 }))
  .map(([half, columns, layers]) => modelOf(2 * half, columns, layers))
const anyMethod = fc.constantFrom(...methodIds)
const fixedOf = (id: MethodId) => {
  const scale_type = fc.constantFrom('f16', 'f32', 'bf16')
  if (id === 'fdb') return fc.record({ scale_type })
  if (id === 'rtn') return fc.record({ scale_type, symmetric: fc.boolean(), clip_search: fc.boolean() })
  const damping = fc.constantFrom(0.01, 0.02)
  if (id === 'signum-rc') return fc.record({ scale_type, damping, column_scales: fc.boolean() })
  return fc.record({ scale_type, damping })
}
const anyCurve = fc
  .tuple(anyMethod, anyModel)
  .chain(([id, model]) => fixedOf(id).map((fixed) => ({ id, model, fixed })))

describe('for any model and any parameters that stay', () => {
  test('sizes rise, and are what the forecast says of the parameters', () => {
    fc.assert(
      fc.property(anyCurve, ({ id, model, fixed }) => {
        const { points } = curveOf(id, fixed, model)
        expect(points.length).toBeGreaterThan(0)
        points.forEach((point, i) => {
          const before = points[i - 1]
          if (before?.linear === point.linear) expect(point.most_linear).toBeGreaterThan(before.most_linear)
          else if (before) expect(point.linear).toBeGreaterThan(before.linear)
          const { expected, most } = forecast({ method: id, parameters: point.parameters, overrides: [] }, model)
          const { nominal, linear, file, linearBytes, fileBytes } = expected
          const { parameters, ...sizes } = point
          expect(sizes).toEqual({
            nominal,
            linear,
            file,
            linear_bytes: linearBytes,
            file_bytes: fileBytes,
            most_linear: most.linear,
            most_file_bytes: most.fileBytes,
          })
          expect(parameters).toMatchObject(fixed)
        })
      }),
      { numRuns: 30 },
    )
  })

  test('what is picked is the largest within the budget, never over it where one is within it', () => {
    const budget = fc.record({
      by: fc.constantFrom('linear', 'file_bytes'),
      share: fc.double({ min: -0.2, max: 1.2, noNaN: true }),
    })
    fc.assert(
      fc.property(anyCurve, budget, ({ id, model, fixed }, { by, share }) => {
        const curve = curveOf(id, fixed, model)
        const sizes = curve.points.map((point) => worstOf(point, by))
        const [least, most] = [Math.min(...sizes), Math.max(...sizes)]
        const value = least + share * (most - least) || least
        const { point, reach } = pickPoint(curve, { by, value })!
        const worst = worstOf(point, by)
        expect(pointOf(curve, point.parameters)).toBe(point)
        if (value < least) expect([reach, worst]).toEqual(['over', least])
        else {
          expect(worst).toBeLessThanOrEqual(value)
          const better = (one: CurvePoint) => one[by] > point[by] || (one[by] === point[by] && worstOf(one, by) > worst)
          expect(curve.points.filter((one) => worstOf(one, by) <= value && better(one))).toEqual([])
          expect(reach).toBe(value > worst && !curve.points.some(better) ? 'short' : 'within')
        }
      }),
      { numRuns: 60 },
    )
  })
})

test('codes: a finer grid is left out where one more bit costs no more', () => {
  const of = (scale_type: string) => curveOf('gptq', { scale_type }, wide).points.map(({ parameters }) => parameters)
  const groupsOf = (all: Parameters[], bits: number) =>
    all.filter((one) => one['bits'] === bits).map((one) => one['group'])
  expect(groupsOf(of('f16'), 2)).toEqual([-1, 1024, 512, 256, 128, 64, 32])
  // 2 bits and 40 more for every 32 columns are 3.25: more than 3 bits with a scale per row.
  expect(groupsOf(of('f32'), 2)).toEqual([-1, 1024, 512, 256, 128, 64])
})

test('rows shorter than a group have one point, that of the whole row', () => {
  const { points } = curveOf('rtn', {}, modelOf(32, 32, 1))
  expect(points.slice(0, 2).map(({ parameters }) => [parameters['bits'], parameters['group']])).toEqual([
    [1, -1],
    [2, -1],
  ])
})

test('signum-rc reaches from one plane to three in fine steps', () => {
  const curve = curveOf('signum-rc', {}, wide)
  expect(curve.points.length).toBe(201)
  expect(curve.points[0]!.linear).toBeCloseTo(1.14, 1)
  expect(curve.points.at(-1)!.linear).toBeCloseTo(3.4, 1)
  const { point } = pickPoint(curve, { by: 'linear', value: 1.7 })!
  expect(1.7 - point.linear).toBeLessThan(0.012)
  expect(chosenBy(curve, point)).toEqual({ second_plane: 0.49, third_plane: 0 })
  const { point: finer } = pickPoint(curve, { by: 'linear', value: 2.9 })!
  expect(2.9 - finer.linear).toBeLessThan(0.012)
  expect(finer.parameters['second_plane']).toBe(1)
})

test('a width of blocks that does not go with what stays is left out', () => {
  const widths = curveOf('billm', { max_salient: 64 }, wide).points.map(({ parameters }) => parameters['blocksize'])
  expect(widths).toEqual([256, 192, 160, 128, 112, 96, 80, 64])
  expect(curveOf('billm', {}, wide).points.at(-1)!.parameters).toMatchObject({ blocksize: 32, max_salient: 32 })
})

test('where the weights decide a part of the size, the curve says so', () => {
  expect(methodIds.filter((id) => !curveOf(id, {}, wide).exact)).toEqual(['arb', 'arb-x', 'arb-rc'])
})

test('every method stays on its curve with its usual parameters', () => {
  for (const id of methodIds) {
    const curve = curveOf(id, {}, wide)
    const usual = {
      bits: 2,
      group: { rtn: -1, fdb: 64 }[id as string] ?? 128,
      blocksize: 128,
      column_group_bitmap: true,
      max_salient: 50,
      second_plane: 1,
      third_plane: 0,
      salient_share: 0.1,
    }
    expect(pointOf(curve, usual), id).not.toBeNull()
  }
})
