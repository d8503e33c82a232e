import { describe, expect, test } from 'vitest'
import type { Curve } from '../../../electron/contract/curve.ts'
import { methods } from '../../../electron/contract/methods.ts'
import { gridOf, mostRecipes, wishKey, type Base, type Plan } from './sweep-grid.ts'
import { readNumbers, readValues } from './sweep-values.ts'

const parameter = (id: string, key: string) =>
  methods.find((one) => one.id === id)!.parameters.find((one) => one.key === key)!
const values = (id: string, key: string, text: string) => {
  const read = readValues(parameter(id, key), text)
  return read.ok ? read.value : read.problem.message
}

describe('values', () => {
  test('by commas, as ranges, all of them; each once', () => {
    expect(values('rtn', 'bits', '2, 4 3,2')).toEqual([2, 4, 3])
    expect(values('rtn', 'bits', '2..5')).toEqual([2, 3, 4, 5])
    expect(values('signum-rc', 'second_plane', '0..0.3 by 0.1')).toEqual([0, 0.1, 0.2, 0.3])
    expect(values('signum-rc', 'second_plane', '1..0:0.5')).toEqual([1, 0.5, 0])
    expect(values('gptq', 'order', 'all')).toEqual(['natural', 'hessian'])
    expect(values('rtn', 'symmetric', 'all')).toEqual([false, true])
    expect(values('rtn', 'group', '-1, 64..128 by 64')).toEqual([-1, 64, 128])
  })
  test('that cannot be are named', () => {
    expect(values('rtn', 'bits', '2, 9')).toBe('9: must be a whole number from 1 to 8.')
    expect(values('rtn', 'bits', 'all')).toBe('all: must be a whole number from 1 to 8.')
    expect(values('rtn', 'bits', '')).toBe('Values, such as 1..8.')
    expect(values('rtn', 'bits', '1..1e9')).toContain('too many values')
    expect(readNumbers('2, 0')).toMatchObject({ ok: false, problem: { message: '0 is no positive number.' } })
    expect(readNumbers('2..3 by 0.5')).toEqual({ ok: true, value: [2, 2.5, 3] })
  })
})

const base: Base = {
  recipe: {
    signum_recipe: 1,
    overrides: [],
    embedding_type: 'source',
    head_type: 'source',
    calibration: null,
    evaluations: [],
  },
  given: { gptq: { damping: 0.05 } },
  calibration: { source: 'bundled:a', sampling: 'sequential', sequences: 8, length: 64, seed: 0, join: 'raw' },
  context: 256,
  chooses: { 'pb-llm': ['salient_share'] },
}
const plan = (changes: Partial<Plan>): Plan => ({
  methods: ['rtn'],
  axes: [],
  budgets: '',
  by: 'linear',
  unit: 1,
  ...changes,
})
const axis = (key: string, text: string, id = 1) => ({ id, key, text })
const names = (grid: ReturnType<typeof gridOf>) => grid.items.map(({ name }) => name)

describe('the grid', () => {
  test('is every combination, named by what differs, with what the method was given', () => {
    const axes = [axis('bits', '2, 3'), axis('group', '64, 128', 2)]
    const grid = gridOf(base, plan({ methods: ['rtn', 'gptq'], axes }), new Map())
    expect(names(grid).slice(0, 4)).toEqual([
      'rtn bits=2 group=64',
      'rtn bits=2 group=128',
      'rtn bits=3 group=64',
      'rtn bits=3 group=128',
    ])
    expect(grid.items).toHaveLength(8)
    expect(grid.items.every(({ recipe, problem }) => recipe !== null && problem === null)).toBe(true)
    expect(grid.items[4]!.recipe).toMatchObject({ method: 'gptq', parameters: { bits: 2, group: 64, damping: 0.05 } })
    expect([grid.items[0]!.recipe!.calibration, grid.items[4]!.recipe!.calibration?.source]).toEqual([
      null,
      'bundled:a',
    ])
  })

  test('has parameters that only some methods have only there', () => {
    const grid = gridOf(base, plan({ methods: ['rtn', 'signum-rc'], axes: [axis('second_plane', '0, 1')] }), new Map())
    expect(names(grid)).toEqual(['rtn', 'signum-rc second_plane=0', 'signum-rc second_plane=1'])
    const none = gridOf(base, plan({ axes: [axis('second_plane', '0, 1')] }), new Map())
    expect([...none.problems]).toEqual([['1', 'None of the chosen methods has it.']])
  })

  test('marks what cannot be, with why', () => {
    const axes = [axis('max_salient', '100'), axis('blocksize', '64, 128', 2)]
    const grid = gridOf(base, plan({ methods: ['billm'], axes }), new Map())
    expect(grid.items.map(({ problem }) => problem)).toEqual([
      'max_salient must be a whole number from 2 to blocksize (64), not 100.',
      null,
    ])
    const twice = gridOf(base, plan({ axes: [axis('bits', '2'), axis('bits', '3', 2)] }), new Map())
    expect([twice.problems.get('2'), names(twice)]).toEqual(['It is varied above already.', ['rtn bits=2']])
  })

  test('varies the calibration, where there is one', () => {
    const axes = [axis('seed', '0..2'), axis('sequences', '4, 8', 2)]
    const grid = gridOf(base, plan({ methods: ['gptq'], axes }), new Map())
    expect(grid.items).toHaveLength(6)
    expect(grid.items[5]!.recipe!.calibration).toMatchObject({ seed: 2, sequences: 8, length: 64 })
    const without = gridOf(base, plan({ axes: [axis('seed', '0, 1')] }), new Map())
    expect(without.items[0]!.problem).toBe('Needs no calibration text: there is nothing to vary.')
    const far = gridOf(base, plan({ methods: ['gptq'], axes: [axis('length', '64, 512')] }), new Map())
    expect(far.problems.get('1')).toBe('512: must be a whole number from 2 to 256.')
  })

  test('of more than is reasonable is counted, not made', () => {
    const axes = [axis('bits', '1..8'), axis('group', '32..130', 2)]
    const grid = gridOf(base, plan({ axes }), new Map())
    expect([grid.count > mostRecipes, grid.items]).toEqual([true, []])
  })

  test('a budget waits for its curve, then chooses; what cannot reach it says so, and so does what comes to the same', () => {
    const wanted = plan({ methods: ['signum-rc'], axes: [axis('refits', '2')], budgets: '1, 2, 2.1' })
    const first = gridOf(base, wanted, new Map())
    expect(first.items.every(({ waits }) => waits)).toBe(true)
    expect(first.wanted).toEqual([{ method: 'signum-rc', fixed: { refits: 2 } }])
    const point = (second_plane: number, linear: number) => {
      const sizes = { nominal: 1, linear, file: 3, linear_bytes: 1, file_bytes: 1e6, most_linear: linear }
      return { parameters: { second_plane }, ...sizes, most_file_bytes: 1e6 }
    }
    const points = [point(0, 1.2), point(0.5, 1.9), point(1, 2.3)]
    const curve: Curve = { method: 'signum-rc', chooses: ['second_plane'], exact: true, points }
    const curves = new Map([[wishKey(first.wanted[0]!), curve]])
    const grid = gridOf(base, wanted, curves)
    expect(grid.wanted).toEqual([])
    expect(grid.items.map(({ name, problem }) => [name, problem])).toEqual([
      ['signum-rc refits=2 1bpw', 'Signum RC cannot get below 1.20 linear bits.'],
      ['signum-rc refits=2 2bpw', null],
      ['signum-rc refits=2 2.1bpw', 'The same recipe as signum-rc refits=2 2bpw.'],
    ])
    expect(grid.items[1]!.recipe!.parameters).toMatchObject({ refits: 2, second_plane: 0.5 })
    const both = { ...wanted, axes: [axis('second_plane', '1')] }
    const known = new Map([[wishKey({ method: 'signum-rc', fixed: { second_plane: 1 } }), curve]])
    expect(gridOf(base, both, known).items[0]!.problem).toBe('The budget chooses second_plane: vary one or the other.')
    const share = plan({ methods: ['pb-llm'], axes: [axis('salient_share', '0.1')], budgets: '2' })
    const unasked = gridOf(base, share, new Map())
    expect([unasked.wanted, unasked.items[0]!.problem]).toEqual([
      [],
      'The budget chooses salient_share: vary one or the other.',
    ])
  })
})
