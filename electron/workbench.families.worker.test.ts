// Every family the whole way: a folder as the hub has them, two methods, perplexity, sizes, pictures. Fails where the worker is
// not built.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { forecast, inputOf } from './bits/forecast.ts'
import { linearCost, orderBytes, sum } from './bits/linear.ts'
import type { MethodId, Parameters } from './contract/methods.ts'
import type { PictureKind } from './contract/pictures.ts'
import { parseRecipe, type Recipe } from './contract/recipe.ts'
import type { Model, RunReport } from './contract/records.ts'
import {
  randomModelNames,
  randomTensors,
  writeRandomModel,
  type RandomModelName,
} from './models/testing/random-models.ts'
import { bitNumbers } from './packed/bits.ts'
import { decodeLinear } from './packed/decode.ts'
import { openPackedModel } from './packed/model.ts'
import { wholePicture } from './pictures/testing/matrix.ts'
import { picturesOfRuns } from './pictures/testing/run-folder.ts'
import type { Context } from './runs/context.ts'
import { thisMachine } from './runs/machine.ts'
import { inspect } from './runs/models.ts'
import { quantize } from './runs/quantize.ts'
import { findWorker, usualPlaces } from './worker/location.ts'

const root = path.resolve(import.meta.dirname, '..')
let context: Context
let place = ''
beforeAll(async () => {
  place = await mkdtemp(path.join(tmpdir(), 'signum-families-'))
  const worker = await findWorker(usualPlaces(root))
  if (!worker.ok) throw new Error(worker.problem.message)
  context = { root, version: 'test', worker, machine: thisMachine }
})
afterAll(() => rm(place, { recursive: true }))

/** Near the original, and far from it: two planes of signs. */
const methods: [MethodId, Parameters][] = [
  ['rtn', { bits: 4, group: 32 }],
  ['signum-rc', { second_plane: 0.5, refits: 1 }],
]

const recipeOf = (method: MethodId, parameters: Parameters): Recipe => {
  const recipe = parseRecipe(
    {
      signum_recipe: 1,
      method,
      parameters,
      calibration: { source: 'bundled:calibration-stories', sequences: 4, length: 64 },
      evaluations: [{ source: 'bundled:evaluation-stories', window: 128 }],
    },
    'test',
  )
  if (!recipe.ok) throw new Error(recipe.problem.message)
  return recipe.value
}

async function run(folder: string, out: string, recipe: Recipe): Promise<RunReport> {
  const ending = await quantize(context, { model: folder, recipe, out }, {})
  if (ending.kind !== 'finished') throw new Error(JSON.stringify(ending))
  return ending.value
}

function linearBytes(model: Model, { method, parameters }: Recipe): number {
  let bytes = 0
  for (const { rows, columns } of model.linears)
    bytes += sum(linearCost(method, parameters, { rows, columns }, 0).bytes)
  const inputs = new Map(model.linears.map((one) => [inputOf(one), one.columns]))
  for (const columns of inputs.values()) bytes += orderBytes(method, parameters, columns)
  return bytes
}

describe.each(randomModelNames)('%s', (name: RandomModelName) => {
  test.each(methods)('%s', async (method, parameters) => {
    const folder = path.join(place, name)
    await writeRandomModel(folder, name)
    const inspected = await inspect(context, { folder }, {})
    if (inspected.kind !== 'finished') throw new Error(JSON.stringify(inspected))
    const model = inspected.value
    const tensors = randomTensors(name)
    const numbers = Object.values(tensors).reduce((total, { values }) => total + values.length, 0)
    expect(model.parameters).toBe(numbers)

    const recipe = recipeOf(method, parameters)
    const report = await run(folder, path.join(place, `${name}-${method}`), recipe)
    expect(report.warnings).toEqual([])
    expect(report.layers.map((one) => one.name)).toEqual(model.linears.map((one) => one.name))
    for (const { relative_output_error: error } of report.layers) {
      expect(error).toBeGreaterThan(0)
      expect(error).toBeLessThan(1)
    }
    expect(report.sizes.linear_bytes).toBe(linearBytes(model, report.recipe))
    const { tokens, sampling, sequences, length, seed } = report.calibration!
    const { expected } = forecast(report.recipe, model, { tokens, sampling, sequences, length, seed })
    expect(expected.linearBytes).toBe(report.sizes.linear_bytes)
    expect(expected.fileBytes).toBe(report.sizes.file_bytes)
    const [measured] = report.perplexity
    const change = Math.abs(Math.log(measured!.packed.value! / measured!.original.value!))
    expect(change).toBeGreaterThan(0)
    expect(change).toBeLessThan(method === 'rtn' ? 0.5 : Infinity)

    const packed = await openPackedModel(report.packed)
    try {
      const counted = await bitNumbers(packed)
      expect(counted.nominal).toBeCloseTo(report.bits.nominal, 9)
      expect(counted.linear).toBeCloseTo(report.bits.linear, 9)
      expect(counted.file).toBeCloseTo(report.bits.file, 9)
      const pictures = picturesOfRuns({ packed: report.packed, model: folder })
      const listed = await pictures.list(1)
      if (!listed.ok) throw new Error(listed.problem.message)
      expect(new Set(listed.value.linears.map((one) => one.name))).toEqual(
        new Set(model.linears.map((one) => one.name)),
      )
      for (const { name: linear, layer, rows, columns } of model.linears.slice(-7)) {
        const whole = async (kind: PictureKind) =>
          (await wholePicture(pictures, { run: 1, linear, kind, shape: { rows, columns } })).flat()
        expect(listed.value.linears.find((one) => one.name === linear)).toMatchObject({ layer, rows, columns, method })
        expect(await whole('original')).toEqual([...tensors[`${linear}.weight`]!.values])
        expect(await whole('quantized')).toEqual([...(await decodeLinear(packed, linear))])
      }
    } finally {
      await packed.close()
    }
  })
})
