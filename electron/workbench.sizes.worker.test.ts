// What was forecast is what was written, to the byte, for models of several families; a budget is kept; tables as they were
// asked for. Fails where the worker is not built.
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { curveOf } from './bits/curve.ts'
import { forecast, type CalibrationNote } from './bits/forecast.ts'
import { pickPoint, type Budget } from './contract/curve.ts'
import type { MethodId, Parameters } from './contract/methods.ts'
import { parseRecipe } from './contract/recipe.ts'
import type { Model, RunReport } from './contract/records.ts'
import { tableGroup, type TableTypes } from './contract/tables.ts'
import { writeRandomModel } from './models/testing/random-models.ts'
import { bitNumbers } from './packed/bits.ts'
import { fileBytes } from './packed/breakdown.ts'
import { layerDifferences } from './packed/compare.ts'
import { decodeLinear } from './packed/decode.ts'
import { openPackedModel } from './packed/model.ts'
import { openSafetensors } from './packed/safetensors.ts'
import { scalarsToF32 } from './packed/scalars.ts'
import { openShard } from './packed/shard.ts'
import { runLayer } from './packed/testing/worker.ts'
import { f32Tensor, safetensorsBytes } from './packed/testing/write.ts'
import { findWorker, usualPlaces } from './worker/location.ts'
import type { Context } from './runs/context.ts'
import { forecast as ask } from './runs/forecast.ts'
import { thisMachine } from './runs/machine.ts'
import { inspect } from './runs/models.ts'
import { quantize } from './runs/quantize.ts'

const root = path.resolve(import.meta.dirname, '..')
const demo = path.join(root, 'resources', 'models', 'signum-stories-4m')
let context: Context
let place = ''
const folders: Record<string, string> = { demo }
const models: Record<string, Model> = {}
beforeAll(async () => {
  place = await mkdtemp(path.join(tmpdir(), 'signum-sizes-'))
  const worker = await findWorker(usualPlaces(root))
  if (!worker.ok) throw new Error(worker.problem.message)
  context = { root, version: 'test', worker, machine: thisMachine }
  folders['opt'] = path.join(root, 'native', 'tests', 'data', 'models', 'opt-tinystories-1m')
  for (const name of ['gemma-3', 'mistral'] as const) {
    folders[name] = path.join(place, name)
    await writeRandomModel(folders[name], name)
  }
  for (const [name, folder] of Object.entries(folders)) {
    const inspected = await inspect(context, { folder }, {})
    if (inspected.kind !== 'finished') throw new Error(JSON.stringify(inspected))
    models[name] = inspected.value
  }
})
afterAll(() => rm(place, { recursive: true }))

function recipeOf(method: MethodId, parameters: Parameters, tables: Partial<TableTypes> = {}) {
  const calibration = { source: 'bundled:calibration-stories', sequences: 4, length: 64 }
  const recipe = parseRecipe({ signum_recipe: 1, method, parameters, ...tables, calibration }, 'test')
  if (!recipe.ok) throw new Error(recipe.problem.message)
  return recipe.value
}

let runs = 0
async function run(name: string, method: MethodId, parameters: Parameters, tables: Partial<TableTypes> = {}) {
  const request = { model: folders[name]!, recipe: recipeOf(method, parameters, tables) }
  const said = await ask(context, request, {})
  const ending = await quantize(context, { ...request, out: path.join(place, `run-${runs++}`) }, {})
  if (said.kind !== 'finished' || ending.kind !== 'finished') throw new Error(JSON.stringify([said, ending]))
  return { said: said.value, report: ending.value }
}

/** Bytes of the shards as they lie in the folder. */
async function bytesIn(folder: string): Promise<number> {
  const shards = (await readdir(folder)).filter((file) => file.endsWith('.safetensors'))
  const sizes = await Promise.all(shards.map(async (file) => (await stat(path.join(folder, file))).size))
  return sizes.reduce((total, size) => total + size, 0)
}

const exact: [MethodId, Parameters][] = [
  ['rtn', { bits: 3, group: 64 }],
  ['gptq', { order: 'hessian' }],
  ['pb-llm', { salient_share: 0.05 }],
  ['fdb', {}],
  ['signum-rc', { second_plane: 0.3, refits: 1 }],
]
describe.each(['demo', 'opt', 'gemma-3'])('%s', (name) => {
  test.each(exact)('%s: the files have as many bytes as was said', async (method, parameters) => {
    const { said, report } = await run(name, method, parameters)
    const written = await bytesIn(report.packed)
    expect(said.expected.file_bytes).toBe(written)
    expect(said.most).toEqual(said.expected)
    expect(said.expected.linear_bytes).toBe(report.sizes.linear_bytes)
    expect(said.expected.file).toBe(report.bits.file)
    expect(said.parts).toEqual(await fileBytes(report.packed))
  })

  test.each(['arb', 'arb-rc', 'billm'] as const)('%s: a budget is kept', async (method) => {
    const curve = curveOf(method, {}, models[name]!)
    for (const by of ['linear', 'file_bytes'] as const) {
      // A little more than what is expected of the middle of the curve: there the bound on salient columns decides.
      const value = 1.003 * curve.points[Math.floor(curve.points.length / 2)]![by]
      const budget: Budget = { by, value }
      const { point, reach } = pickPoint(curve, budget)!
      expect(reach).toBe('within')
      const { said, report } = await run(name, method, { ...point.parameters })
      const written = { linear: report.bits.linear, file_bytes: await bytesIn(report.packed) }
      expect(said.most[by]).toBeLessThanOrEqual(value)
      expect(written[by]).toBeLessThanOrEqual(said.most[by])
      expect(written[by]).toBeLessThanOrEqual(value)
    }
  })
})

const noteOf = ({ calibration }: RunReport): CalibrationNote => {
  const { tokens, sampling, sequences, length, seed } = calibration!
  return { tokens, sampling, sequences, length, seed }
}

describe('tables', () => {
  test.each([
    ['demo', { embedding_type: 'rtn4' }],
    ['demo', { embedding_type: 'rtn8', head_type: 'rtn8' }],
    ['opt', { embedding_type: 'rtn4' }],
    ['gemma-3', { embedding_type: 'f16' }],
    ['mistral', { embedding_type: 'rtn8', head_type: 'rtn4' }],
    ['mistral', { head_type: 'f16' }],
  ] as const)('%s %j: bytes as was said, fewer than as stored', async (name, tables) => {
    const { said, report } = await run(name, 'rtn', { bits: 4 }, tables)
    expect(said.expected.file_bytes).toBe(await bytesIn(report.packed))
    expect(said.parts).toEqual(await fileBytes(report.packed))
    expect(report.recipe).toMatchObject(tables)
    const asStored = forecast(recipeOf('rtn', { bits: 4 }), models[name]!, noteOf(report)).expected
    expect(report.bits.file).toBeLessThan(asStored.file)
    expect(report.bits.linear).toBe(asStored.linear)
    const packed = await openPackedModel(report.packed)
    try {
      const counted = await bitNumbers(packed)
      expect([counted.nominal, counted.linear, counted.file].map((one) => one.toFixed(9))).toEqual(
        [report.bits.nominal, report.bits.linear, report.bits.file].map((one) => one.toFixed(9)),
      )
    } finally {
      await packed.close()
    }
  })

  test('4-bit codes: in the files what the worker packs of the table alone, decoded here to the same bits', async () => {
    const { report } = await run('demo', 'rtn', { bits: 4 }, { embedding_type: 'rtn4' })
    const table = await demoTable()
    const input = path.join(place, 'table.safetensors')
    const identity = new Float32Array(table.columns ** 2)
    for (let i = 0; i < table.columns; i++) identity[i * table.columns + i] = 1
    const weight = f32Tensor([table.rows, table.columns], table.values)
    const hessian = f32Tensor([table.columns, table.columns], identity)
    await writeFile(input, safetensorsBytes({ weight, hessian }, {}))
    const { parameters } = recipeOf('rtn', { bits: 4, group: tableGroup })
    const alone = await runLayer(place, input, { method: 'rtn', parameters })
    expect(await layerDifferences(alone)).toEqual({ count: 0, first: [] })

    const [packed, single] = [await openPackedModel(report.packed), await openShard(alone)]
    try {
      const module = 'model.embed_tokens'
      expect([...(packed.tables ?? new Map()).keys()]).toEqual([module])
      expect(packed.tensors.has(`${module}.weight`)).toBe(false)
      for (const role of ['code', 'code_scale', 'code_zero']) {
        const [mine, its] = [await packed.read(`${module}.${role}`), await single.read(`linear.${role}`)]
        expect(Buffer.compare(mine, its)).toBe(0)
      }
      const [decoded, native] = [await decodeLinear(packed, module), await single.read('decoded')]
      expect(Buffer.compare(new Uint8Array(decoded.buffer, decoded.byteOffset, decoded.byteLength), native)).toBe(0)
      // Sixteen levels in a group of 64: no value further from its own than half a step, and a little for the rounded scale.
      let [furthest, most] = [0, 0]
      for (let k = 0; k < decoded.length; k++) {
        furthest = Math.max(furthest, Math.abs(decoded[k]! - table.values[k]!))
        most = Math.max(most, Math.abs(table.values[k]!))
      }
      expect(furthest).toBeGreaterThan(0)
      expect(furthest).toBeLessThan((2 * most) / 15)
    } finally {
      await packed.close()
      await single.close()
    }
  })

  test('a tied head has no type of its own', async () => {
    const request = { model: demo, recipe: recipeOf('rtn', {}, { head_type: 'rtn8' }), out: path.join(place, 'none') }
    expect(await quantize(context, request, {})).toMatchObject({ kind: 'failed', problem: { code: 'recipe_invalid' } })
  })
})

async function demoTable(): Promise<{ rows: number; columns: number; values: Float32Array }> {
  const file = await openSafetensors(path.join(demo, 'model.safetensors'))
  try {
    const name = 'model.embed_tokens.weight'
    const [rows = 0, columns = 0] = file.tensors.get(name)!.shape
    return { rows, columns, values: scalarsToF32('f16', await file.read(name)) }
  } finally {
    await file.close()
  }
}
