// The methods end to end against whole-model results of independent programs (native/tests/data/signum-stories-4m.methods.json):
// the same model, calibration tokens, evaluation tokens, F32 scales. Figures and what they say: docs/METHODS.md.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { MethodId, Parameters } from '../contract/methods.ts'
import { parseRecipe } from '../contract/recipe.ts'
import type { RunReport } from '../contract/records.ts'
import { findWorker, usualPlaces } from '../worker/location.ts'
import type { Context } from './context.ts'
import { thisMachine } from './machine.ts'
import { inspect } from './models.ts'
import { quantize } from './quantize.ts'

const root = path.resolve(import.meta.dirname, '..', '..')
const data = path.join(root, 'native', 'tests', 'data')
const layerSchema = z.object({ relative_weight_error: z.number(), relative_output_error: z.number() })
const resultSchema = z.object({ perplexity: z.number(), layers: z.record(z.string(), layerSchema).optional() })
const references = z
  .record(z.string(), z.union([resultSchema, z.number()]))
  .parse(JSON.parse(await readFile(path.join(data, 'signum-stories-4m.methods.json'), 'utf8')))

function reference(key: string) {
  const found = references[key]
  if (found === undefined || typeof found === 'number' || !found.layers) throw new Error(`no reference ${key}`)
  return { perplexity: found.perplexity, layers: found.layers }
}

let out = ''
let context: Context
beforeAll(async () => {
  out = await mkdtemp(path.join(tmpdir(), 'signum-test-'))
  const worker = await findWorker(usualPlaces(root))
  if (!worker.ok) throw new Error(worker.problem.message)
  context = { root, version: 'test', worker, machine: thisMachine }
})
afterAll(() => rm(out, { recursive: true }))

async function run(key: string, method: MethodId, parameters: Parameters): Promise<RunReport> {
  const inspected = await inspect(context, { folder: path.join(root, 'resources', 'models', 'signum-stories-4m') }, {})
  if (inspected.kind !== 'finished') throw new Error(JSON.stringify(inspected))
  const tokens = (what: string) => path.join(data, `signum-stories-4m.${what}.u32`)
  const recipe = parseRecipe(
    {
      signum_recipe: 1,
      method,
      parameters: { ...parameters, scale_type: 'f32' },
      calibration: { source: tokens('calibration'), sampling: 'sequential', sequences: 32, length: 256 },
      evaluations: [{ source: tokens('evaluation'), window: 256 }],
    },
    'test',
  )
  if (!recipe.ok) throw new Error(recipe.problem.message)
  const asked = {
    model: inspected.value.path,
    recipe: recipe.value,
    out: path.join(out, key),
    resume: false,
    threads: 0,
  }
  const ended = await quantize(context, asked, {})
  if (ended.kind !== 'finished') throw new Error(JSON.stringify(ended))
  return ended.value
}

/** Perplexity over the reference's, minus 1. */
function deviation(report: RunReport, key: string): number {
  const measured = report.perplexity[0]
  if (!measured) throw new Error('nothing was evaluated')
  return (measured.packed.value ?? NaN) / reference(key).perplexity - 1
}

/** Largest relative difference of an output error to the reference's, over the linears whose name `which` chooses. */
function worstLinear(report: RunReport, key: string, which: (name: string) => boolean): number {
  const names = Object.keys(reference(key).layers).filter(which)
  expect(names.length).toBeGreaterThan(5)
  return Math.max(
    ...names.map((name) => {
      const ours = report.layers.find((layer) => layer.name.replace(/^model\.layers\.|self_attn\.|mlp\./g, '') === name)
      if (!ours || ours.relative_output_error === null) throw new Error(`no report of ${name}`)
      return Math.abs(ours.relative_output_error / reference(key).layers[name]!.relative_output_error - 1)
    }),
  )
}

/** Mean output error over the reference's mean, minus 1. */
function meanDeviation(report: RunReport, key: string): number {
  const expected = Object.values(reference(key).layers).map((layer) => layer.relative_output_error)
  const ours = report.layers.map((layer) => layer.relative_output_error ?? NaN)
  expect(ours.length).toBe(expected.length)
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0)
  return sum(ours) / sum(expected) - 1
}

describe('equal throughout', () => {
  const cases: [string, MethodId, Parameters][] = [
    ['rtn2', 'rtn', { bits: 2 }],
    ['rtn4', 'rtn', { bits: 4 }],
  ]
  test.each(cases)('%s', async (key, method, parameters) => {
    const report = await run(key, method, parameters)
    expect(Math.abs(deviation(report, key))).toBeLessThan(1e-4)
    expect(worstLinear(report, key, () => true)).toBeLessThan(1e-4)
  })
})

// A tie that rounding decides the other way changes one weight, then the inputs of the next layer, then the searches there; which ties turn
// depends on the CPU's BLAS kernels. What stays is the mean error; the perplexity spreads by what docs/METHODS.md measured (the bars are
// three standard deviations). That a linear by itself is exact is checked in native/tests/golden_test.cc.
describe('equal but for ties', () => {
  // The reference knows no correction, and its damping is the papers'.
  const spec = { correction: 0, damping: 0.01 }
  const cases: [string, MethodId, Parameters, number][] = [
    ['arb.plain', 'arb', { column_group_bitmap: false }, 0.02],
    ['arb_x.cgb', 'arb-x', { column_group_bitmap: true }, 0.02],
    ['arb_rc.plain', 'arb-rc', { column_group_bitmap: false }, 0.02],
    ['arb_rc.cgb', 'arb-rc', { column_group_bitmap: true }, 0.02],
    ['billm', 'billm', {}, 0.04],
    ['signum_rc.second0', 'signum-rc', { second_plane: 0, ...spec }, 0.1],
    ['signum_rc.second25', 'signum-rc', { second_plane: 0.25, ...spec }, 0.1],
    ['signum_rc.second50', 'signum-rc', { second_plane: 0.5, ...spec }, 0.06],
    ['signum_rc.second100', 'signum-rc', { second_plane: 1, ...spec }, 0.03],
  ]
  test.each(cases)('%s', async (key, method, parameters, bar) => {
    const report = await run(key, method, parameters)
    expect(Math.abs(deviation(report, key))).toBeLessThan(bar)
    expect(Math.abs(meanDeviation(report, key))).toBeLessThan(0.005)
    expect(worstLinear(report, key, () => true)).toBeLessThan(0.06)
  })
})
