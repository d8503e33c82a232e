// The layer lab with the real worker on the demo model: trials, slots, pictures, what is kept.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Ending } from './contract/api.ts'
import type { TrialRequest } from './contract/lab.ts'
import { openWorkbench, type Workbench } from './workbench.ts'

const root = path.resolve(import.meta.dirname, '..')
const model = path.join(root, 'resources', 'models', 'signum-stories-4m')
const down = 'model.layers.1.mlp.down_proj'
const calibration = {
  source: 'bundled:calibration-stories',
  sampling: 'sequential' as const,
  sequences: 8,
  length: 128,
  seed: 0,
  join: 'raw' as const,
}
const place = { model, linear: down, calibration }
const trial = (changes: Partial<TrialRequest> = {}): TrialRequest => ({
  ...place,
  slot: 0,
  method: 'gptq',
  parameters: {},
  ...changes,
})

let data = ''
let bench: Workbench
beforeEach(async () => {
  data = await mkdtemp(path.join(tmpdir(), 'signum-test-'))
  bench = (await openWorkbench(root)).at(data)
})
afterEach(async () => {
  await bench.close()
  await rm(data, { recursive: true })
})

function value<T>(ending: Ending<T>): T {
  if (ending.kind !== 'finished') throw new Error(JSON.stringify(ending))
  return ending.value
}
const ownFolders = async () => (await readdir(tmpdir())).filter((name) => name.startsWith(`signum-lab-${process.pid}-`))

test('a linear, recipes side by side on it, their pictures', async () => {
  const heard: number[] = []
  const onEvent = (event: { event: string; done?: number; total?: number }) => {
    if (event.event === 'progress') heard.push(event.done! / event.total!)
  }
  const linear = value(await bench.labOpen(place, { onEvent }))
  expect(linear).toMatchObject({ rows: 256, columns: 768, tokens: 8 * 128 })
  expect(linear.seconds).toBeGreaterThan(0)
  // Told at most ten times a second.
  expect(heard.length).toBeGreaterThan(0)
  expect(Math.max(...heard)).toBeLessThanOrEqual(1)
  const sum = (counts: number[]) => counts.reduce((total, count) => total + count, 0)
  expect(sum(linear.weights.counts)).toBe(256 * 768)
  expect(value(await bench.labOpen(place)).seconds).toBe(0)

  const asked = (['rtn', 'gptq', 'arb-rc', 'signum-rc'] as const).map((method, slot) =>
    bench.labTry(trial({ slot, method })),
  )
  const trials = (await Promise.all(asked)).map(value)
  expect(trials.map(({ report }) => report.method)).toEqual(['rtn', 'gptq', 'arb-rc', 'signum-rc'])
  const errors = trials.map(({ report }) => report.relative_output_error!)
  expect(Math.max(...errors)).toBe(errors[0])
  for (const one of trials) {
    expect(one.quantized).toMatchObject({ low: linear.weights.low, high: linear.weights.high })
    expect(sum(one.quantized.counts)).toBe(256 * 768)
    expect(one.levels).toEqual(one.levels.toSorted((a, b) => a - b))
    expect(one.scale.error).toBeGreaterThan(0)
    expect(one.linear).toMatchObject({ name: down, rows: 256, columns: 768, method: one.report.method })
    const tile = await bench.pictures.answer(`/pictures/trial-${one.trial}/${down}/error/0/0/0`)
    expect([tile.status, tile.bytes.length]).toEqual([200, 256 * 256 * 4])
    // The root mean square of all tiles is the trial's own error.
    const tiles = await Promise.all(
      [0, 1, 2].flatMap((column) =>
        ['error', 'original'].map(async (kind) => {
          const { bytes } = await bench.pictures.answer(`/pictures/trial-${one.trial}/${down}/${kind}/0/0/${column}`)
          return { kind, values: new Float32Array(bytes.slice().buffer) }
        }),
      ),
    )
    const squares = (wanted: string) =>
      tiles
        .filter(({ kind }) => kind === wanted)
        .flatMap(({ values }) => [...values])
        .reduce((total, x) => total + x * x, 0)
    expect(Math.sqrt(squares('error') / squares('original'))).toBeCloseTo(one.report.relative_weight_error!, 5)
  }
  const cell = await bench.pictures.answer(`/pictures/trial-${trials[1]!.trial}/${down}/cell/3/5`)
  expect(JSON.parse(new TextDecoder().decode(cell.bytes))).toMatchObject({ row: 3, column: 5 })
  expect(await ownFolders()).toHaveLength(1)
  value(await bench.labClose({}))
  expect(await ownFolders()).toEqual([])
  const gone = await bench.pictures.answer(`/pictures/trial-${trials[1]!.trial}/${down}/cell/3/5`)
  expect(gone.status).toBe(404)
})

test('a newer trial of a slot cancels the older; recipes that cannot be are refused, and the next one works', async () => {
  const [first, second, other] = await Promise.all([
    bench.labTry(trial({ method: 'arb-rc' })),
    bench.labTry(trial({ method: 'signum-rc' })),
    bench.labTry(trial({ slot: 1, method: 'rtn' })),
  ])
  expect(first).toEqual({ kind: 'cancelled' })
  expect(value(second).report.method).toBe('signum-rc')
  expect(value(other).report.method).toBe('rtn')
  expect(await bench.labTry(trial({ parameters: { bits: 99 } }))).toMatchObject({ problem: { code: 'recipe_invalid' } })
  expect(await bench.labTry(trial({ calibration: null }))).toMatchObject({ problem: { code: 'calibration_missing' } })
  expect(await bench.labOpen({ ...place, linear: 'model.layers.9.mlp.up_proj' })).toMatchObject({
    problem: { code: 'tensor_missing' },
  })
  expect(await bench.labOpen({ ...place, model: '/nowhere' })).toMatchObject({
    problem: { code: 'not_a_model_folder' },
  })
  const plain = value(await bench.labTry(trial({ calibration: null, method: 'rtn' })))
  expect(plain.report.relative_output_error).toBeNull()
  const again = value(await bench.labTry(trial()))
  expect(again.report.relative_output_error).toBeGreaterThan(0)
})

test('another linear ends the opening before it; Hessians are found again by the next lab', async () => {
  const [first, second] = await Promise.all([
    bench.labOpen(place),
    bench.labOpen({ ...place, linear: 'model.layers.0.self_attn.q_proj' }),
  ])
  expect(first.kind).toBe('cancelled')
  expect(value(second)).toMatchObject({ rows: 256, columns: 256 })
  value(await bench.labOpen(place))
  const before = value(await bench.labTry(trial()))
  const kept = await readdir(path.join(data, 'hessians'), { recursive: true })
  expect(kept.filter((name) => name.endsWith('.safetensors'))).toHaveLength(8)
  value(await bench.labClose({}))
  let progress = 0
  value(await bench.labOpen(place, { onEvent: () => progress++ }))
  expect(progress).toBe(0)
  const after = value(await bench.labTry(trial()))
  expect({ ...after.report, seconds: 0 }).toEqual({ ...before.report, seconds: 0 })
})

test('closing ends what is under way', async () => {
  const opening = bench.labOpen(place)
  const trying = bench.labTry(trial())
  value(await bench.labClose({}))
  expect((await opening).kind).toBe('cancelled')
  expect((await trying).kind).toBe('cancelled')
  expect(value(await bench.labTry(trial())).trial).toBeGreaterThan(1)
})
