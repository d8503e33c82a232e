// What is said of a run before it starts, beside what the run itself does: with a worker that only pretends.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { calls, type Answer, type Request } from '../contract/api.ts'
import { basisWords } from '../contract/forecast.ts'
import { parseRecipe, type Recipe } from '../contract/recipe.ts'
import type { History } from '../history/history.ts'
import { historyIn, newFolder } from '../history/testing/open.ts'
import type { Context } from './context.ts'
import { curves, forecast } from './forecast.ts'
import { quantize } from './quantize.ts'
import { readiness } from './readiness.ts'

const root = path.resolve(import.meta.dirname, '..', '..')
const model = path.join(root, 'resources', 'models', 'signum-stories-4m')
const fake = path.join(import.meta.dirname, '..', 'worker', 'testing', 'fake-worker.mjs')

let folder = ''
let history: History
let context: Context
beforeAll(async () => void (folder = await mkdtemp(path.join(tmpdir(), 'signum-test-'))))
afterAll(() => rm(folder, { recursive: true }))
beforeEach(async () => {
  vi.unstubAllEnvs()
  history = await historyIn(newFolder())
  context = {
    root,
    version: 'test',
    worker: { ok: true, value: fake },
    machine: { availableMemory: () => Promise.resolve(8e9), freeDisk: () => Promise.resolve(8e9) },
    history: () => Promise.resolve({ ok: true, value: history }),
  }
})

function recipe(changes: object = {}): Recipe {
  const calibration = { source: 'bundled:calibration-stories', sequences: 32, length: 256 }
  const evaluations = [{ source: 'bundled:evaluation-stories' }]
  const parsed = parseRecipe({ signum_recipe: 1, method: 'gptq', calibration, evaluations, ...changes }, 'test')
  if (!parsed.ok) throw new Error(parsed.problem.message)
  return parsed.value
}

async function costs(changes: Partial<Request<'forecast'>> = {}): Promise<Answer<'forecast'>> {
  const ending = await forecast(context, { model, recipe: recipe(), threads: 2, ...changes }, {})
  if (ending.kind !== 'finished') throw new Error(JSON.stringify(ending))
  return calls.forecast.answer.parse(ending.value)
}

let runs = 0
async function play(changes: Partial<Request<'quantize'>> = {}) {
  const out = path.join(folder, `run-${++runs}`)
  return quantize(context, { model, recipe: recipe(), out, threads: 2, ...changes }, {})
}

describe('sizes', () => {
  test('the parts are the file, the embeddings apart from the rest', async () => {
    const { parts, expected, most, original_bytes } = await costs()
    expect(Object.values(parts).reduce((sum, part) => sum + part, 0)).toBeCloseTo(expected.file_bytes, 6)
    // The pretended model has 900,000 parameters, 393,216 of them in linears: less is left than an embedding would take.
    expect([parts.embeddings, parts.rest]).toEqual([2 * (900_000 - 393_216), 0])
    expect(most).toEqual(expected)
    expect(original_bytes).toBeGreaterThan(7e6)
  })

  test('every method has a curve, and parameters that stay are on it', async () => {
    const ending = await curves(context, { model, fixed: { billm: { scale_type: 'f32' } } }, {})
    if (ending.kind !== 'finished') throw new Error(JSON.stringify(ending))
    const found = calls.curves.answer.parse(ending.value)
    expect(found.map(({ method }) => method)).toEqual([
      'rtn',
      'gptq',
      'billm',
      'pb-llm',
      'arb',
      'arb-x',
      'arb-rc',
      'fdb',
      'signum-rc',
    ])
    expect(found[2]!.points.every(({ parameters }) => parameters['scale_type'] === 'f32')).toBe(true)
  })

  test('a folder without a model is refused', async () => {
    expect(await forecast(context, { model: folder, recipe: recipe() }, {})).toMatchObject({
      kind: 'failed',
      problem: { code: 'not_a_model_folder' },
    })
  })
})

describe('time', () => {
  test('twice the threads take less, and more tokens take longer', async () => {
    const [one, two] = [await costs({ threads: 1 }), await costs({ threads: 2 })]
    expect(two.seconds['quantize']).toBeLessThan(one.seconds['quantize']!)
    const longer = await costs({
      recipe: recipe({ calibration: { source: 'bundled:calibration-stories', sequences: 46, length: 256 } }),
    })
    expect(longer.seconds['calibrate']).toBeGreaterThan(two.seconds['calibrate']!)
    expect(basisWords(one.basis)).toBe('rough estimate')
  })

  test('a second plane, refits and iterations take their time', async () => {
    const quantizeTime = async (method: string, parameters: object) =>
      (await costs({ recipe: recipe({ method, parameters }) })).seconds['quantize']!
    expect(await quantizeTime('signum-rc', { second_plane: 1 })).toBeGreaterThan(
      await quantizeTime('signum-rc', { second_plane: 0 }),
    )
    expect(await quantizeTime('signum-rc', { refits: 8 })).toBeGreaterThan(await quantizeTime('signum-rc', {}))
    expect(await quantizeTime('arb-rc', { iterations: 50 })).toBeGreaterThan(await quantizeTime('arb-rc', {}))
    expect(await quantizeTime('rtn', {})).toBeLessThan(await quantizeTime('gptq', {}))
  })

  test('after a run the estimate is what the run took', async () => {
    const before = await costs()
    expect((await play()).kind).toBe('finished')
    const after = await costs()
    // The pretended worker takes these seconds for every run.
    const took = { calibrate: 0.1, quantize: 0.2, evaluate: 0.2 }
    for (const [phase, seconds] of Object.entries(took)) {
      expect(Math.abs(before.seconds[phase]! - seconds), phase).toBeGreaterThan(1e-3)
      expect(after.seconds[phase], phase).toBeCloseTo(seconds, 6)
    }
    expect(after.basis).toEqual({ runs: 1, same_model: true, unknown: false })
    await play()
    expect(basisWords((await costs()).basis)).toBe('estimated from 2 runs of this model on this computer')
  })

  test('another method learns what they share, and stays a rough estimate', async () => {
    await play()
    const other = await costs({ recipe: recipe({ method: 'billm' }) })
    expect(other.seconds['calibrate']).toBeCloseTo(0.1, 6)
    expect(other.seconds['quantize']).not.toBeCloseTo(0.2, 3)
    expect(other.basis).toEqual({ runs: 0, same_model: false, unknown: false })
  })

  test('a run that was resumed knows only a part of its time', async () => {
    vi.stubEnv('SIGNUM_FAKE', 'crash-late')
    const out = path.join(folder, 'resumed')
    await quantize(context, { model, recipe: recipe(), out, threads: 2 }, {})
    vi.unstubAllEnvs()
    const resumed = await quantize(context, { model: null, recipe: null, out, resume: true, threads: 2 }, {})
    expect(resumed.kind).toBe('finished')
    expect((await costs()).basis.runs).toBe(0)
  })
})

describe('what a run looks at before it starts', () => {
  async function checks(changes: Partial<Request<'preflight'>> = {}) {
    const ending = await readiness(context, { model, recipe: recipe(), ...changes }, {})
    if (ending.kind !== 'finished') throw new Error(JSON.stringify(ending))
    return calls.preflight.answer.parse(ending.value)
  }

  test('all in order', async () => {
    const found = await checks()
    expect(found.every(({ ok, problem }) => ok && problem === null)).toBe(true)
    expect(found.map(({ name, state }) => `${name}: ${state}`)).toEqual([
      'model: LlamaForCausalLM, 900k parameters in F16',
      'calibration text: calibration-stories: 11,927 tokens; 32 sequences of 256 are used',
      'evaluation text: evaluation-stories: 3,361 tokens: 13 windows of 256, protocol papers',
      expect.stringMatching(/^memory: needs [\d.]+ MB of 8.00 GB$/) as string,
      expect.stringMatching(/^disk: needs [\d.]+ MB of 8.00 GB$/) as string,
      'device: cpu is free',
    ])
  })

  const calibration = { source: 'bundled:calibration-stories', sequences: 32, length: 256 }
  const short = { availableMemory: () => Promise.resolve(1e6), freeDisk: () => Promise.resolve(1e6) }
  test.each<[string, object, Partial<Context>]>([
    ['calibration_missing', { calibration: null }, {}],
    ['calibration_too_short', { calibration: { ...calibration, sequences: 128 } }, {}],
    ['context_too_long', { calibration: { ...calibration, length: 512 } }, {}],
    ['text_unreadable', { evaluations: [{ source: '/there/is/no.txt' }] }, {}],
    ['evaluation_too_short', { evaluations: [{ source: 'bundled:evaluation-stories', window: 256 }] }, {}],
    ['memory_short', {}, { machine: short }],
    ['disk_full', {}, { machine: { ...short, availableMemory: () => Promise.resolve(8e9) } }],
    ['recipe_invalid', { parameters: { bits: 99 } }, {}],
  ])('%s: the run is refused by the same rule', async (code, changes, surroundings) => {
    if (code === 'evaluation_too_short') {
      const source = path.join(folder, 'short.txt')
      await writeFile(source, 'Once upon a time.')
      changes = { evaluations: [{ source }] }
    }
    context = { ...context, ...surroundings }
    const asked = { ...recipe(), ...changes } as Recipe
    const refusal = await play({ recipe: asked })
    if (refusal.kind !== 'failed') throw new Error(refusal.kind)
    expect(refusal.problem.code).toBe(code)
    const found = (await checks({ recipe: asked })).filter(({ ok }) => !ok)
    const same = found.find(({ problem }) => problem?.code === code)
    // The disk is another one: the run goes to its own folder, not among Signum's data.
    if (code !== 'disk_full') expect(same?.problem).toEqual(refusal.problem)
    expect(same).toBeDefined()
  })

  test('a model that cannot be read hides nothing else that can be known', async () => {
    const found = await checks({ model: folder })
    expect(found.map(({ name, ok }) => [name, ok])).toEqual([
      ['model', false],
      ['device', true],
    ])
  })

  test('a busy device is no failure: the run waits', async () => {
    const id = history.runs.add({ name: 'a', recipe: recipe(), folder: null, device: 'cpu' })
    history.decide(() => history.leases.acquire(id, 'cpu'))
    const device = (await checks()).at(-1)
    expect(device).toEqual({
      name: 'device',
      ok: true,
      state: 'cpu is busy: the run waits for one other',
      problem: null,
    })
    history.close()
    expect((await checks()).at(-1)?.problem?.code).toBe('history_unavailable')
  })

  test('documents to draw from are tried where they are few, and looked at where they are many', async () => {
    const few = path.join(root, 'electron', 'models', 'testdata', 'documents.jsonl')
    const drawn = (source: string, length: number) =>
      recipe({ calibration: { source, sampling: 'documents', sequences: 8, length } })
    const [, text] = await checks({ recipe: drawn(few, 40) })
    expect(text?.state).toBe('documents.jsonl: 320 tokens; 8 sequences of 40 are used')
    const [, short] = await checks({ recipe: drawn(few, 256) })
    expect(short?.problem?.code).toBe('calibration_too_short')
    const source = path.join(folder, 'many.jsonl')
    await writeFile(source, (await readFile(few, 'utf8')).repeat(300))
    const [, many] = await checks({ recipe: drawn(source, 40) })
    expect(many?.state).toBe('many.jsonl: about 320 tokens; 8 sequences of 40 are used')
    await writeFile(source, 'no document\n'.repeat(200_000))
    const [, none] = await checks({ recipe: drawn(source, 40) })
    expect(none?.problem?.code).toBe('text_unreadable')
  })

  test('a long text is judged by its beginning', async () => {
    const source = path.join(folder, 'long.txt')
    await writeFile(source, 'Tom had a red ball.\n'.repeat(250_000))
    const found = await checks({ recipe: recipe({ evaluations: [{ source }] }) })
    expect(found[2]).toMatchObject({
      ok: true,
      state: expect.stringMatching(/^long.txt: about [\d,]+ tokens/) as string,
    })
  })
})
