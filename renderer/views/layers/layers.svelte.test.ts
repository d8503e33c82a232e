// How a linear is looked at: alone, beside something, as a difference. With a window that only pretends.
import { beforeEach, expect, test, vi } from 'vitest'
import type { PicturedLinear } from '../../../electron/contract/pictures.ts'
import { navigation } from '../../client/navigation.svelte.ts'
import { runs } from '../../client/runs.svelte.ts'
import { Layers } from './layers.svelte.ts'

const asked: { name: string; request: unknown }[] = []
const linear = (pictures: PicturedLinear['pictures'], columns = 8): PicturedLinear => ({
  name: 'model.layers.0.mlp.up_proj',
  layer: 0,
  kind: 'up_proj',
  rows: 4,
  columns,
  method: 'billm',
  blocksize: 8,
  ordered: false,
  pictures,
  code_bits: null,
  second_columns: 1,
  groups: 2,
  salient_weights: 0,
})
let linears: Record<number, PicturedLinear> = {}
vi.stubGlobal('window', {
  signum: {
    call: (name: string, request: { id: number }) => {
      asked.push({ name, request })
      const answers: Record<string, unknown> = {
        runPictures: { run: request.id, linears: [linears[request.id]], original_problem: null },
        run: {
          layer_reports: [{ name: linears[request.id]?.name, method: 'billm', relative_weight_error: request.id / 10 }],
        },
        pictureScale: { weight: request.id, error: request.id / 2 },
        pictureDifference: { signs: 32, flipped: 4, salient: null },
      }
      return Promise.resolve({ kind: 'finished', value: answers[name] })
    },
  },
})

const all: PicturedLinear['pictures'] = ['original', 'quantized', 'error', 'sign']
const run = (id: number, model = '/m') => ({ id, name: `run ${id}`, status: 'finished', recipe: { model } })
async function open(): Promise<Layers> {
  const layers = new Layers()
  for (const id of Object.keys(linears).map(Number)) {
    await layers.load(id)
    await layers.loadScale(id, linears[id]!.name)
  }
  return layers
}
beforeEach(() => {
  asked.length = 0
  linears = { 1: linear(all), 2: linear(all) }
  runs.list = [run(1), run(2), run(3, '/other')] as never
  navigation.here = { view: 'layers', run: 1, picture: 'quantized' }
})

test('a difference has its own address, a scale of both runs, and goes back to what was looked at', async () => {
  const layers = await open()
  expect([layers.look, layers.looks]).toEqual(['one', { one: true, beside: true, difference: true }])
  layers.chooseLook('difference')
  expect(navigation.here).toMatchObject({ picture: 'flipped', other: 2 })
  expect(layers.panes).toMatchObject([
    { run: '1@2', kind: 'flipped', title: 'run 1 → run 2', scale: { weight: 2, error: 1 } },
  ])
  // Nothing can be laid over a pair.
  expect(layers.panes[0]!.linear.pictures).toEqual(['flipped'])
  layers.chooseDifference('change')
  expect(layers.panes).toMatchObject([{ run: '1@2', kind: 'change' }])
  await layers.loadDifference()
  await layers.loadDifference()
  expect(asked.filter(({ name }) => name === 'pictureDifference')).toEqual([
    { name: 'pictureDifference', request: { id: 1, other: 2, linear: linears[1]!.name } },
  ])
  expect(layers.counted).toEqual({ signs: 32, flipped: 4, salient: null })
  expect(layers.otherReport(linears[1]!)?.relative_weight_error).toBe(0.2)
  layers.chooseLook('one')
  expect([layers.look, layers.kind, layers.panes.length]).toEqual(['one', 'quantized', 1])
})

test('against the original weights there are signs to compare, but no errors', async () => {
  const layers = await open()
  navigation.here = { view: 'layers', run: 1, picture: 'change' }
  expect([layers.difference, layers.hasChange]).toEqual(['flipped', false])
  expect(layers.panes).toMatchObject([{ run: '1@original', title: 'run 1 → original' }])
})

test('one click brings the original beside the run', async () => {
  const layers = await open()
  layers.chooseLook('beside')
  expect(layers.panes.map(({ run, kind }) => [run, kind])).toEqual([
    [1, 'quantized'],
    [1, 'original'],
  ])
  layers.chooseLook('difference')
  layers.chooseLook('beside')
  expect(layers.panes.map(({ run, kind }) => [run, kind])).toEqual([
    [1, 'quantized'],
    [2, 'quantized'],
  ])
})

test('what is not there is not compared with', async () => {
  linears = { 1: linear(['quantized', 'sign']), 2: linear(all, 9) }
  const layers = await open()
  layers.chooseLook('difference')
  // The other run's linear has another shape.
  expect(layers.panes).toEqual([])
  expect(layers.otherProblem?.code).toBe('tensor_missing')
  runs.list = [run(1)] as never
  expect(layers.looks).toEqual({ one: true, beside: true, difference: false })
})
