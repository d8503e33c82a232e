import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findMethod, findPreset, methodIds, methods, readSetting, resolveParameters, type Method } from './methods.ts'
import { checkValue, rangeOf, readValue, type Parameter } from './parameters.ts'

const method = (id: string): Method => {
  const found = findMethod(id)
  if (!found.ok) throw new Error(found.problem.message)
  return found.value
}
const problem = (result: { ok: boolean; problem?: { code: string; message: string } }) => {
  expect(result.ok).toBe(false)
  return `${result.problem?.code}: ${result.problem?.message}`
}

describe('the catalogue', () => {
  test('has every method once, with two lines of description and parameters that explain themselves', () => {
    expect(methods.map(({ id }) => id)).toEqual(methodIds)
    for (const { description, stores, parameters } of methods) {
      expect(description.every((line) => line.endsWith('.') && line.length < 140)).toBe(true)
      expect(stores).not.toBe('')
      expect(new Set(parameters.map(({ key }) => key)).size).toBe(parameters.length)
      for (const parameter of parameters) {
        expect(parameter.help.endsWith('.') && !parameter.help.includes('\n')).toBe(true)
        expect(checkValue(parameter, parameter.default).ok).toBe(true)
      }
    }
  })

  test('has presets that its methods accept, each with its name once', () => {
    const named = methods.map(({ id, presets = [] }) => [id, presets.map((one) => one.id)] as const)
    expect(Object.fromEntries(named)).toMatchObject({
      billm: ['paper'],
      arb: ['paper', 'fast'],
      'arb-x': ['paper', 'fast'],
      'arb-rc': ['paper', 'fast'],
    })
    for (const [, ids] of named) expect(new Set(ids).size).toBe(ids.length)
    for (const one of methods) {
      for (const { title, parameters } of one.presets ?? []) {
        expect(title).not.toBe('')
        expect(resolveParameters(one, parameters)).toMatchObject({ ok: true, value: parameters })
      }
    }
  })

  test('has exactly the parameters and defaults that the worker expects', () => {
    const defaults = Object.fromEntries(
      methods.map((one) => {
        const resolved = resolveParameters(one, {})
        return [one.id, resolved.ok ? resolved.value : null]
      }),
    )
    expect(defaults).toEqual({
      rtn: { bits: 2, group: -1, symmetric: false, clip_search: false, scale_type: 'f16' },
      gptq: {
        bits: 2,
        group: 128,
        symmetric: false,
        clip_search: false,
        order: 'natural',
        correction: 0,
        blocksize: 128,
        damping: 0.01,
        scale_type: 'f16',
      },
      billm: {
        salience: 'hessian',
        search_space: 'saliency',
        correction: 0,
        blocksize: 128,
        damping: 0.01,
        max_salient: 50,
        scale_type: 'f16',
      },
      'pb-llm': {
        salient_share: 0.1,
        salience: 'hessian',
        salient_bits: 8,
        group: -1,
        mean_rule: 'published',
        correction: 0,
        blocksize: 128,
        damping: 0.01,
        scale_type: 'f16',
      },
      arb: {
        salience: 'hessian',
        search_space: 'saliency',
        correction: 0,
        blocksize: 128,
        damping: 0.01,
        max_salient: 50,
        column_group_bitmap: true,
        splits: 1,
        iterations: 15,
        scale_type: 'f16',
      },
      'arb-x': {
        salience: 'hessian',
        search_space: 'saliency',
        correction: 0,
        blocksize: 128,
        damping: 0.01,
        max_salient: 50,
        column_group_bitmap: true,
        splits: 1,
        iterations: 15,
        scale_type: 'f16',
      },
      'arb-rc': {
        salience: 'hessian',
        search_space: 'saliency',
        correction: 0,
        blocksize: 128,
        damping: 0.01,
        max_salient: 50,
        column_group_bitmap: true,
        splits: 1,
        iterations: 15,
        scale_type: 'f16',
      },
      fdb: { group: 64, step_rule: 'search', propagation: false, damping: 0.01, scale_type: 'f16' },
      'signum-rc': {
        second_plane: 1,
        third_plane: 0,
        order: 'hessian',
        column_scales: true,
        refits: 4,
        correction: 1,
        blocksize: 128,
        damping: 0.1,
        scale_type: 'f16',
      },
    })
  })
})

describe('refusals name the key, the range and the nearest name', () => {
  test('unknown methods and parameters', () => {
    expect(problem(findMethod('gtpq'))).toBe(
      "method_unknown: There is no method 'gtpq'; did you mean gptq? Methods: rtn, gptq, billm, pb-llm, arb, arb-x, arb-rc, fdb, signum-rc.",
    )
    expect(problem(readSetting(method('gptq'), 'grup=64'))).toBe(
      "recipe_invalid: gptq has no parameter 'grup'; did you mean group? Parameters: bits, group, symmetric, clip_search, order, correction, blocksize, damping, scale_type.",
    )
    expect(problem(resolveParameters(method('rtn'), { refits: 3 }))).toBe(
      "recipe_invalid: rtn has no parameter 'refits'. Parameters: bits, group, symmetric, clip_search, scale_type.",
    )
    expect(problem(readSetting(method('rtn'), 'bits'))).toBe(
      "option_invalid: --set must be followed by key=value, not 'bits'.",
    )
  })

  test('unknown presets', () => {
    expect(problem(findPreset(method('arb-rc'), 'fats'))).toBe(
      "option_invalid: arb-rc has no preset 'fats'; did you mean fast? Presets: paper, fast.",
    )
    expect(problem(findPreset(method('signum-rc'), 'paper'))).toBe(
      "option_invalid: signum-rc has no preset 'paper'. It has none.",
    )
  })

  test.each([
    ['gptq', 'bits=1', 'bits must be a whole number from 2 to 8 (default 2), not 1.'],
    ['gptq', 'bits=2.5', 'bits must be a whole number from 2 to 8 (default 2), not 2.5.'],
    ['rtn', 'bits=two', "bits must be a whole number from 1 to 8 (default 2), not 'two'."],
    ['rtn', 'bits=', "bits must be a whole number from 1 to 8 (default 2), not ''."],
    ['rtn', 'group=16', 'group must be a whole number from 32 to 1048576, or -1 (the whole row) (default -1), not 16.'],
    ['billm', 'damping=0', 'damping must be a number from 0.000001 to 1 (default 0.01), not 0.'],
    ['billm', 'salience=hesian', "salience must be one of hessian, magnitude (default hessian), not 'hesian'."],
    ['arb-rc', 'column_group_bitmap=yes', "column_group_bitmap must be true or false (default true), not 'yes'."],
    ['signum-rc', 'second_plane=NaN', "second_plane must be a number from 0 to 1 (default 1), not 'NaN'."],
  ])('%s %s', (id, setting, message) => {
    expect(problem(readSetting(method(id), setting))).toBe(`recipe_invalid: ${message}`)
  })

  test('values of another type in a recipe', () => {
    expect(problem(resolveParameters(method('rtn'), { bits: '2' }))).toContain("not '2'")
    expect(problem(resolveParameters(method('rtn'), { bits: null }))).toContain('not null')
    expect(problem(resolveParameters(method('rtn'), { bits: undefined }))).toContain('not undefined')
  })
})

test('max_salient is limited by blocksize: a default gives way, a chosen value is refused', () => {
  const billm = method('billm')
  expect(resolveParameters(billm, { blocksize: 32 })).toMatchObject({ value: { max_salient: 32 } })
  expect(problem(resolveParameters(billm, { blocksize: 32, max_salient: 40 }))).toBe(
    'recipe_invalid: max_salient must be a whole number from 2 to blocksize (32), not 40.',
  )
})

test('a calibration text is needed always, never, or with some parameters', () => {
  const needed = (id: string, parameters: Record<string, string | boolean> = {}) =>
    method(id).needsCalibration(parameters)
  expect(methods.filter(({ id }) => !needed(id)).map(({ id }) => id)).toEqual(['rtn', 'fdb'])
  expect(needed('rtn', { clip_search: true })).toBe(false)
  expect(needed('fdb', { step_rule: 'max', propagation: false })).toBe(false)
  expect(needed('fdb', { step_rule: 'hessian' })).toBe(true)
  expect(needed('fdb', { step_rule: 'max', propagation: true })).toBe(true)
})

test('a symmetric grid needs two bits', () => {
  const rtn = method('rtn')
  expect(resolveParameters(rtn, { symmetric: true })).toMatchObject({ value: { bits: 2, symmetric: true } })
  expect(problem(resolveParameters(rtn, { bits: 1, symmetric: true }))).toBe(
    'recipe_invalid: symmetric needs bits of at least 2: with 1 every weight becomes 0.',
  )
})

test('settings are read as the type of their parameter', () => {
  const value = (id: string, setting: string) => {
    const read = readSetting(method(id), setting)
    return read.ok ? read.value : read.problem
  }
  expect(value('rtn', 'group=-1')).toEqual({ key: 'group', value: -1 })
  expect(value('billm', 'damping = 1e-2')).toEqual({ key: 'damping', value: 0.01 })
  expect(value('arb-rc', 'column_group_bitmap=false')).toEqual({ key: 'column_group_bitmap', value: false })
  expect(value('signum-rc', 'second_plane=.25')).toEqual({ key: 'second_plane', value: 0.25 })
})

test('whatever is in range passes, whatever is not is refused with its key', () => {
  const parameter = fc.constantFrom(...methods.flatMap((one): readonly Parameter[] => one.parameters))
  fc.assert(
    fc.property(
      parameter,
      fc.oneof(fc.double(), fc.integer(), fc.string(), fc.boolean(), fc.constant(null)),
      (one, value) => {
        const checked = checkValue(one, value)
        if (checked.ok) {
          expect(checked.value).toBe(value)
          expect(readValue(one, String(value)).ok).toBe(true)
        } else expect(checked.problem.message.startsWith(`${one.key} must be ${rangeOf(one)}`)).toBe(true)
      },
    ),
  )
})
