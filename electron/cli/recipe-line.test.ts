// The line that the window shows, read back by a real shell and by the command line's own parser.
import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { outOf, quantizeLine, quoted, sourceName } from '../contract/command-line.ts'
import { methods, resolveParameters, type Parameters } from '../contract/methods.ts'
import type { Parameter } from '../contract/parameters.ts'
import { resolvedOverrides, type Override } from '../contract/overrides.ts'
import { parseRecipe, samplings, type Recipe } from '../contract/recipe.ts'
import { tableTypes } from '../contract/tables.ts'
import { parseOptions } from './options.ts'
import { quantize } from './quantize.ts'
import { recipeFrom } from './recipe-options.ts'

/** The words as `sh` sees them. */
function wordsOf(line: string): string[] {
  const printed = execFileSync('sh', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' })
  return printed.split('\0').slice(0, -1)
}

const anyName = fc
  .string({
    unit: fc.oneof(fc.constantFrom(...` '"$\`\\~-=;&|*?#!\n`), fc.string({ minLength: 1, maxLength: 1 })),
    minLength: 1,
  })
  .filter((text) => !text.includes('\0'))
const anyPath = anyName.map((name) => `/${name.replaceAll('/', '')}x`)
const anySource = fc.oneof(anyPath, fc.constantFrom('bundled:calibration-stories', 'bundled:evaluation-tales'))

function anyValue(parameter: Parameter): fc.Arbitrary<number | string | boolean> {
  switch (parameter.type) {
    case 'integer':
      return fc.integer({ min: parameter.min, max: Math.min(parameter.max, 5000) })
    case 'number':
      return fc.double({ min: parameter.min, max: parameter.max, noNaN: true })
    case 'choice':
      return fc.constantFrom(...parameter.choices)
    case 'boolean':
      return fc.boolean()
  }
}

const anyOverride: fc.Arbitrary<Override> = fc.oneof(
  fc.record({ match: fc.constantFrom('a|b', '-x', String.raw`^\d=\$`), keep: fc.constant(true as const) }),
  fc.record({
    match: fc.constantFrom('(?=mlp)', '=', "'"),
    method: fc.constant('rtn' as const),
    parameters: fc.record({ bits: fc.integer({ min: 1, max: 8 }) }),
  }),
)

/** Overrides with every parameter, whether it was said or is usual. */
const spelledOut = (recipe: Recipe): Recipe => ({ ...recipe, overrides: resolvedOverrides(recipe) })

const anyRecipe: fc.Arbitrary<Recipe> = fc.constantFrom(...methods).chain((method) => {
  const given = fc.record(Object.fromEntries(method.parameters.map((one) => [one.key, anyValue(one)])), {
    requiredKeys: [],
  })
  return fc
    .record({
      given,
      calibration: fc.option(
        fc.record({
          source: anySource,
          sampling: fc.constantFrom(...samplings),
          sequences: fc.integer({ min: 1, max: 1000 }),
          length: fc.option(fc.integer({ min: 2, max: 9000 })),
          seed: fc.integer({ min: 0, max: 0xffff_ffff }),
        }),
      ),
      overrides: fc.array(anyOverride, { maxLength: 3 }),
      tables: fc.record({ embedding_type: fc.constantFrom(...tableTypes), head_type: fc.constantFrom(...tableTypes) }),
      sources: fc.uniqueArray(anySource, { maxLength: 3 }),
      window: fc.option(fc.integer({ min: 2, max: 9000 })),
    })
    .filter((made) => resolveParameters(method, made.given as Parameters).ok)
    .map((made) => {
      const { calibration, overrides, tables, sources, window } = made
      const evaluations = sources.map((source) => ({ source, window }))
      const json = {
        signum_recipe: 1,
        method: method.id,
        parameters: made.given,
        overrides,
        ...tables,
        calibration,
        evaluations,
      }
      const parsed = parseRecipe(json, 'test')
      if (!parsed.ok) throw new Error(parsed.problem.message)
      return parsed.value
    })
})

describe('the line', () => {
  test('is read back to the same recipe, model, name, threads and folder', async () => {
    const asked = fc.record({
      model: anyPath,
      recipe: anyRecipe,
      name: fc.option(anyName),
      threads: fc.integer({ min: 0, max: 4096 }),
      out: anyName,
    })
    await fc.assert(
      fc.asyncProperty(asked, async (one) => {
        const [program, command, ...argv] = wordsOf(quantizeLine(one)!)
        expect([program, command]).toEqual(['signum', 'quantize'])
        const values = parseOptions(quantize.spec, argv)
        if (!values.ok) throw new Error(values.problem.message)
        const recipe = await recipeFrom(values.value, one.model)
        if (!recipe.ok || recipe.value === null) throw new Error('no recipe')
        expect(spelledOut(recipe.value)).toEqual(spelledOut(one.recipe))
        expect(values.value.positionals).toEqual([one.model])
        expect(values.value.text('name') ?? null).toBe(one.name)
        expect(values.value.integer('threads') ?? 0).toBe(one.threads)
        expect(values.value.text('out')).toBe(one.out)
      }),
      { numRuns: 60 },
    )
  })

  test('has only what is not as usual', () => {
    const parsed = parseRecipe(
      {
        signum_recipe: 1,
        method: 'signum-rc',
        parameters: { second_plane: 0.25 },
        calibration: { source: 'bundled:calibration-stories', sequences: 32, length: 256 },
        evaluations: [{ source: 'bundled:evaluation-tales' }],
      },
      'test',
    )
    if (!parsed.ok) throw new Error(parsed.problem.message)
    const asked = { model: '/my models/tiny', recipe: parsed.value, name: "Tom's", threads: 0, out: 'runs/a' }
    expect(quantizeLine(asked)).toBe(
      "signum quantize '/my models/tiny' --method signum-rc --set second_plane=0.25 --calibration bundled:calibration-stories" +
        " --sequences 32 --length 256 --evaluation bundled:evaluation-tales --name 'Tom'\\''s' --out runs/a",
    )
    const evaluations = [
      { source: '/a', window: 16, protocol: 'papers', join: 'raw' },
      { source: '/b', window: null, protocol: 'papers', join: 'raw' },
    ] as const
    const line = (...texts: Recipe['evaluations']) =>
      quantizeLine({ ...asked, recipe: { ...parsed.value, evaluations: texts } })
    expect(line(...evaluations)).toBeNull()
    expect(line(evaluations[0], { ...evaluations[0], protocol: 'llama.cpp' })).toBeNull()
    expect(line(evaluations[0], { ...evaluations[0], join: 'space' })).toBeNull()
    expect(line({ ...evaluations[0], join: 'blank-line' })).toContain(' --evaluation-join blank-line ')
    expect(line({ ...evaluations[0], protocol: 'llama.cpp' })).toContain(
      ' --evaluation /a --window 16 --protocol llama.cpp ',
    )
  })
})

test('every word survives a shell', () => {
  fc.assert(
    fc.property(fc.array(anyName, { minLength: 1, maxLength: 20 }), (words) => {
      expect(wordsOf(words.map(quoted).join(' '))).toEqual(words)
    }),
    { numRuns: 40 },
  )
})

test('a folder and a short name for what has a long one', () => {
  expect(outOf('TinyLlama gptq bits=3')).toBe('runs/tinyllama-gptq-bits-3')
  expect(outOf('../..')).toBe('runs/run')
  expect(['bundled:evaluation-tales', '/a/b/c.txt', 'C:\\texts\\c.txt'].map(sourceName)).toEqual([
    'evaluation-tales',
    'c.txt',
    'c.txt',
  ])
})
