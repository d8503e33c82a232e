// Runs with the real worker: what was forecast is what was written, to the byte. Fails where the worker is not built.
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { forecast, inputOf, sized, type CalibrationNote } from '../bits/forecast.ts'
import { linearCost, orderBytes, sum } from '../bits/linear.ts'
import type { MethodId, Parameters } from '../contract/methods.ts'
import type { Override } from '../contract/overrides.ts'
import { parseRecipe, type Recipe } from '../contract/recipe.ts'
import type { Model, RunReport } from '../contract/records.ts'
import { findWorker, usualPlaces } from '../worker/location.ts'
import type { Context } from './context.ts'
import { evaluate } from './evaluate.ts'
import { thisMachine } from './machine.ts'
import { inspect } from './models.ts'
import { quantize } from './quantize.ts'

const root = path.resolve(import.meta.dirname, '..', '..')
const folder = path.join(root, 'resources', 'models', 'signum-stories-4m')
let context: Context
let model: Model
let out = ''
beforeAll(async () => {
  out = await mkdtemp(path.join(tmpdir(), 'signum-test-'))
  const worker = await findWorker(usualPlaces(root))
  if (!worker.ok) throw new Error(worker.problem.message)
  context = { root, version: 'test', worker, machine: thisMachine }
  const inspected = await inspect(context, { folder }, {})
  if (inspected.kind !== 'finished') throw new Error(JSON.stringify(inspected))
  model = inspected.value
})
afterAll(() => rm(out, { recursive: true }))

async function run(method: MethodId, parameters: Parameters, overrides: Override[] = []): Promise<RunReport> {
  const calibration = { source: 'bundled:calibration-stories', sequences: 4, length: 64 }
  const recipe = parseRecipe({ signum_recipe: 1, method, parameters, overrides, calibration }, 'test')
  if (!recipe.ok) throw new Error(recipe.problem.message)
  const place = path.join(
    out,
    `${method}${overrides.length || ''}${Object.values(parameters)
      .map((value) => `-${value}`)
      .join('')}`,
  )
  const ending = await quantize(context, { model: folder, recipe: recipe.value, out: place }, {})
  if (ending.kind !== 'finished') throw new Error(JSON.stringify(ending))
  return ending.value
}

function noteOf({ calibration }: RunReport): CalibrationNote {
  const { tokens, sampling, sequences, length, seed } = calibration!
  return { tokens, sampling, sequences, length, seed }
}
const forecastOf = (report: RunReport) => forecast(report.recipe, model, noteOf(report))

/** The bytes of all linears, given how many salient columns the worker found in each. */
function bytesOf({ method, parameters }: Recipe, report: RunReport): { bytes: number; nominal: number } {
  let [bytes, nominal, weights] = [0, 0, 0]
  for (const { rows, columns, salient_columns: salient } of report.layers) {
    const cost = linearCost(method, parameters, { rows, columns }, salient ?? 0)
    bytes += sum(cost.bytes)
    nominal += cost.nominal * rows * columns
    weights += rows * columns
  }
  for (const columns of new Map(model.linears.map((one) => [inputOf(one), one.columns])).values()) {
    bytes += orderBytes(method, parameters, columns)
  }
  return { bytes, nominal: nominal / weights }
}

const variants: [MethodId, Parameters][] = [
  ['rtn', { bits: 1 }],
  ['rtn', { bits: 3, group: 100, scale_type: 'f32' }],
  ['rtn', { bits: 4, group: 32, symmetric: true, clip_search: true }],
  ['gptq', {}],
  ['gptq', { bits: 5, group: -1, order: 'hessian', scale_type: 'bf16' }],
  ['gptq', { group: 64, symmetric: true, order: 'hessian' }],
  ['gptq', { group: 64, correction: 0.5 }],
  ['billm', {}],
  ['billm', { search_space: 'weights' }],
  ['pb-llm', {}],
  ['pb-llm', { salient_share: 0.25, salient_bits: 4, group: 96, mean_rule: 'least_squares', scale_type: 'f32' }],
  ['pb-llm', { salient_share: 0.01, salience: 'magnitude', blocksize: 64, scale_type: 'bf16' }],
  ['arb', {}],
  ['arb', { column_group_bitmap: false, blocksize: 96, scale_type: 'f32', iterations: 2 }],
  ['arb-x', {}],
  ['arb-x', { column_group_bitmap: false, blocksize: 64, scale_type: 'bf16', iterations: 2 }],
  ['arb-x', { splits: 3, iterations: 2 }],
  ['arb-rc', {}],
  ['arb-rc', { column_group_bitmap: false, splits: 2, search_space: 'weights', iterations: 2 }],
  ['arb-rc', { column_group_bitmap: false, blocksize: 96, iterations: 2 }],
  ['fdb', {}],
  ['fdb', { group: 96, step_rule: 'max', scale_type: 'f32' }],
  ['fdb', { step_rule: 'hessian', propagation: true }],
  ['signum-rc', { second_plane: 0, refits: 1 }],
  ['signum-rc', { second_plane: 0.25, order: 'natural', refits: 1 }],
  ['signum-rc', { column_scales: false, blocksize: 64, refits: 1 }],
]
test.each(variants)('%s %j', async (method, parameters) => {
  const report = await run(method, parameters)
  expect(report.layers).toHaveLength(model.linears.length)
  const { bytes, nominal } = bytesOf(report.recipe, report)
  expect(report.sizes.linear_bytes).toBe(bytes)
  expect(report.bits.nominal).toBeCloseTo(nominal, 9)
  expect(report.bits.linear).toBeCloseTo((8 * bytes) / report.sizes.weights, 9)

  const { expected, most } = forecastOf(report)
  expect(most.linearBytes).toBeGreaterThanOrEqual(bytes)
  expect(most.fileBytes).toBeGreaterThanOrEqual(report.sizes.file_bytes)
  if (report.layers.every(({ salient_columns: salient }) => salient === null)) {
    expect(expected.linearBytes).toBe(bytes)
    expect(expected.fileBytes).toBe(report.sizes.file_bytes)
    expect(expected.file).toBe(report.bits.file)
  }
  // With the salient columns that were found, every method's files are known to the byte.
  const found = new Map(report.layers.map(({ name, salient_columns: salient }) => [name, salient ?? 0]))
  const { sizes } = sized(report.recipe, model, (_, { name }) => found.get(name)!, noteOf(report))
  expect([sizes.linearBytes, sizes.fileBytes]).toEqual([bytes, report.sizes.file_bytes])
})

test('each linear as its override says, counted as it is stored', async () => {
  const report = await run('signum-rc', { refits: 1 }, [
    { match: String.raw`layers\.0\.`, keep: true },
    { match: 'down_proj', method: 'gptq', parameters: { bits: 3, order: 'hessian' } },
    { match: 'q_proj', parameters: { second_plane: 0 } },
  ])
  const expected = model.linears.map(({ name, layer }) =>
    layer === 0 ? 'keep' : name.endsWith('down_proj') ? 'gptq' : 'signum-rc',
  )
  expect(report.layers.map(({ method }) => method)).toEqual(expected)
  for (const one of report.layers.filter(({ method }) => method === 'keep')) {
    const bytes = 2 * one.rows * one.columns
    expect(one).toMatchObject({ nominal_bits: 16, linear_bits: 16, relative_output_error: 0, bytes })
  }
  const forecasted = forecastOf(report).expected
  expect(forecasted.linearBytes).toBe(report.sizes.linear_bytes)
  expect(forecasted.nominal).toBeCloseTo(report.bits.nominal, 9)
  expect(forecasted.fileBytes).toBe(report.sizes.file_bytes)
})

test('report and shards speak of the same calibration', async () => {
  const report = await run('gptq', { bits: 8 })
  const shard = await open(path.join(report.packed, 'model-00001-of-00005.safetensors'))
  try {
    const length = Number((await shard.read(Buffer.alloc(8), 0, 8, 0)).buffer.readBigUInt64LE(0))
    const header = (await shard.read(Buffer.alloc(length), 0, length, 8)).buffer.toString('utf8')
    const { __metadata__: metadata } = JSON.parse(header) as { __metadata__: { calibration: string; recipe: string } }
    const { source, ...used } = report.calibration!
    expect(source).toBe('bundled:calibration-stories')
    expect(JSON.parse(metadata.calibration)).toEqual(used)
    const { method, parameters } = report.recipe
    expect(JSON.parse(metadata.recipe)).toEqual({ method, parameters })
  } finally {
    await shard.close()
  }
})

test('the original has the perplexity of the reference', async () => {
  const ending = await evaluate(context, { model: folder, source: 'bundled:evaluation-stories', window: 256 }, {})
  expect(ending).toMatchObject({ kind: 'finished', value: { perplexity: { windows: 13, tokens: 13 * 255 } } })
  if (ending.kind === 'finished') expect(ending.value.perplexity.value).toBeCloseTo(30.75195, 3)
})

test('a packed model beside its original: the same by a run and by an evaluation, in both protocols', async () => {
  const text = 'bundled:evaluation-stories'
  const evaluations = [
    { source: text, window: 256 },
    { source: text, window: 128, protocol: 'llama.cpp' },
  ] as const
  const recipe = parseRecipe({ signum_recipe: 1, method: 'rtn', parameters: { bits: 4 }, evaluations }, 'test')
  if (!recipe.ok) throw new Error(recipe.problem.message)
  const place = path.join(out, 'beside')
  const ended = await quantize(context, { model: folder, recipe: recipe.value, out: place }, {})
  if (ended.kind !== 'finished') throw new Error(JSON.stringify(ended))
  for (const [index, { window, ...asked }] of evaluations.entries()) {
    const report = ended.value.perplexity[index]!
    const ending = await evaluate(context, { model: place, against: folder, window, ...asked }, {})
    if (ending.kind !== 'finished') throw new Error(JSON.stringify(ending))
    const { perplexity, against } = ending.value
    expect({ ...perplexity, seconds: 0 }).toEqual({ ...report.packed, seconds: 0 })
    expect({ ...against?.perplexity, seconds: 0 }).toEqual({ ...report.original, seconds: 0 })
    expect(against?.comparison).toEqual(report.comparison)
    const { kld, same_top: top, log_ratio: ratio } = report.comparison!
    expect(kld.mean.value).toBeGreaterThan(0)
    expect(kld.mean.value).toBeLessThan(0.2)
    expect(top.value).toBeGreaterThan(0.7)
    expect(ratio.value).toBeCloseTo(Math.log(report.packed.value! / report.original.value!), 6)
  }
  const [papers, llama] = ended.value.perplexity
  expect([papers?.packed.tokens, llama?.packed.tokens]).toEqual([13 * 255, 26 * 63])
})
