// One run's life with a worker that only pretends: what is written, what is said, how it ends.
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Attention, Request } from '../contract/api.ts'
import { parseRecipe, type Recipe } from '../contract/recipe.ts'
import type { Context } from './context.ts'
import { evaluate } from './evaluate.ts'
import { layer } from './layer.ts'
import { models } from './models.ts'
import { doctor } from './doctor.ts'
import { quantize } from './quantize.ts'

const root = path.resolve(import.meta.dirname, '..', '..')
const model = path.join(root, 'resources', 'models', 'signum-stories-4m')
const fake = path.join(import.meta.dirname, '..', 'worker', 'testing', 'fake-worker.mjs')
const documents = path.join(import.meta.dirname, '..', 'models', 'testdata', 'documents.jsonl')
const context: Context = {
  root,
  version: 'test',
  worker: { ok: true, value: fake },
  machine: { availableMemory: () => Promise.resolve(8e9), freeDisk: () => Promise.resolve(8e9) },
}

let folder = ''
let out = ''
beforeAll(async () => void (folder = await mkdtemp(path.join(tmpdir(), 'signum-test-'))))
afterAll(() => rm(folder, { recursive: true }))
let count = 0
beforeEach(() => void (out = path.join(folder, `run-${++count}`)))
afterEach(() => void vi.unstubAllEnvs())

const manners = (words: string) => vi.stubEnv('SIGNUM_FAKE', words)
function recipe(changes: object = {}): Recipe {
  const parsed = parseRecipe(
    {
      signum_recipe: 1,
      method: 'gptq',
      calibration: { source: 'bundled:calibration-stories', sequences: 32, length: 256 },
      evaluations: [{ source: 'bundled:evaluation-stories' }],
      ...changes,
    },
    'test',
  )
  if (!parsed.ok) throw new Error(parsed.problem.message)
  return parsed.value
}
const play = (changes: Partial<Request<'quantize'>> = {}, attention: Attention = {}, surroundings = context) =>
  quantize(surroundings, { model, recipe: recipe(), out, ...changes }, attention)
const codeOf = (ending: Awaited<ReturnType<typeof play>>) =>
  ending.kind === 'failed' ? ending.problem.code : ending.kind

describe('a run that finishes', () => {
  test('leaves recipe, tokens, events, packed model and report', async () => {
    const steps = new Set<string>()
    const ending = await play({}, { onEvent: (_event, step) => void steps.add(JSON.stringify(step)) })
    if (ending.kind !== 'finished') throw new Error(JSON.stringify(ending))
    expect((await readdir(out)).toSorted()).toEqual([
      'calibration.u32',
      'evaluation.safetensors',
      'evaluation.u32',
      'events.jsonl',
      'job.json',
      'packed',
      'recipe.json',
      'report.json',
      'state.json',
    ])
    expect(ending.value).toEqual(JSON.parse(await readFile(path.join(out, 'report.json'), 'utf8')))
    expect(ending.value).toMatchObject({
      program: 'signum 0.1.0',
      run: out,
      model: { path: model },
      recipe: { model, method: 'gptq', calibration: { length: 256 }, evaluations: [{ window: 256 }] },
      calibration: { source: 'bundled:calibration-stories', tokens: 11_927, sequences: 32, length: 256 },
      bits: { nominal: 2, linear: 2.1, file: 4.5 },
      perplexity: [
        {
          text: { source: 'bundled:evaluation-stories', tokens: 3361 },
          original: { value: 30, protocol: 'papers', windows: 13, window: 256, standard_error: 1.5 },
          packed: { value: 40 },
          comparison: { kld: { mean: { value: 0.25, standard_error: 0.01 } }, same_top: { value: 0.8 } },
        },
      ],
      resumed: false,
      warnings: [],
    })
    expect(ending.value.layers).toHaveLength(8)
    expect(ending.value.calibration?.sha256).toMatch(/^[0-9a-f]{64}$/)
    expect(
      [...steps].map((step) => (JSON.parse(step) as { name: string; subject?: string }).subject ?? 'quantize'),
    ).toEqual(['quantize', 'both'])
    const lines = (await readFile(path.join(out, 'events.jsonl'), 'utf8')).trim().split('\n')
    expect(lines.filter((line) => line.includes('"started"'))).toHaveLength(2)
  })

  test('asked to be resumed, gives its report and starts nothing', async () => {
    await play()
    manners('crash')
    const notes: string[] = []
    const ending = await play(
      { model: null, recipe: null, resume: true },
      { onNote: ({ code }) => void notes.push(code) },
    )
    expect(ending.kind).toBe('finished')
    expect(notes).toEqual(['run_finished'])
  })

  test('is measured by the protocol of each text, with the BOS of the model where the protocol asks for it', async () => {
    const stories = { source: 'bundled:evaluation-stories' }
    const ending = await play({
      recipe: recipe({ evaluations: [{ ...stories, protocol: 'llama.cpp', window: 128 }, stories] }),
    })
    expect(ending).toMatchObject({
      value: {
        perplexity: [
          { packed: { protocol: 'llama.cpp', window: 128, windows: 26, tokens: 26 * 63 } },
          { packed: { protocol: 'papers', window: 256, tokens: 13 * 255 } },
        ],
      },
    })
    const targets = (name: string) => readFile(path.join(out, name), 'utf8')
    expect(JSON.parse(await targets('evaluation.safetensors'))).toEqual({ bos: 1 })
    expect(JSON.parse(await targets('evaluation-2.safetensors'))).toEqual({ bos: null })
  })

  test('draws its calibration from documents, as the published programs do, and says so to the worker', async () => {
    const calibration = { source: documents, sampling: 'documents', sequences: 8, length: 40, seed: 0 }
    const ending = await play({ recipe: recipe({ calibration, evaluations: [] }) })
    expect(ending).toMatchObject({
      kind: 'finished',
      value: {
        calibration: { source: documents, tokens: 320, sampling: 'documents', sequences: 8, length: 40, seed: 0 },
      },
    })
    expect((await readFile(path.join(out, 'calibration.u32'))).length).toBe(4 * 320)
    const job = JSON.parse(await readFile(path.join(out, 'job.json'), 'utf8')) as object
    expect(job).toMatchObject({ calibration: { sampling: 'documents', sequences: 8, length: 40, seed: 0 } })
  })

  test('reads documents one by one, as many as it needs, or joined', async () => {
    const ids = async (changes: object) => {
      const place = `${out}-${Object.values(changes).join('-')}`
      const calibration = { source: documents, sequences: 4, length: 64, ...changes }
      const ending = await play({ out: place, recipe: recipe({ calibration, evaluations: [] }) })
      if (ending.kind !== 'finished') throw new Error(JSON.stringify(ending))
      const bytes = await readFile(path.join(place, 'calibration.u32'))
      return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readUInt32LE(4 * i))
    }
    const [some, all, space] = [await ids({}), await ids({ sampling: 'random' }), await ids({ join: 'space' })]
    const begins = (list: number[]) => list.filter((id) => id === 1).length
    expect(some).toEqual(all.slice(0, some.length))
    expect(some.length).toBeGreaterThanOrEqual(4 * 64)
    expect(some.length).toBeLessThan(all.length)
    expect([begins(all), begins(space)]).toEqual([23, 1])
  })

  test('keeps the warnings of a worker that talks garbage', async () => {
    manners('garbage')
    const ending = await play({ recipe: recipe({ evaluations: [] }) })
    expect(ending).toMatchObject({ kind: 'finished', value: { perplexity: [], layers: { length: 8 } } })
    if (ending.kind === 'finished') expect(ending.value.warnings.map(({ code }) => code)).toContain('event_unknown')
  })

  test('takes token files, and needs no tokenizer then', async () => {
    const bare = path.join(folder, 'bare')
    await mkdir(bare, { recursive: true })
    await writeFile(path.join(bare, 'config.json'), '{}')
    const tokens = path.join(root, 'electron', 'models', 'testdata', 'signum-stories-4m.calibration.u32')
    const asked = recipe({
      calibration: { source: tokens, sequences: 32, length: 256 },
      evaluations: [{ source: tokens }],
    })
    expect((await play({ model: bare, recipe: asked })).kind).toBe('finished')
    expect(await readFile(path.join(out, 'calibration.u32'))).toEqual(await readFile(tokens))
    expect(codeOf(await play({ model: bare, out: `${out}-2` }))).toBe('tokenizer_missing')
  })
})

describe('a run that ends early goes on', () => {
  test('after a stop, with the layer reports of both processes', async () => {
    manners('slow')
    const stop = new AbortController()
    const onEvent: Attention['onEvent'] = ({ event }) => void (event === 'plan' && stop.abort())
    expect(await play({}, { onEvent, stop: stop.signal })).toEqual({ kind: 'stopped', finishedLayers: 1, layers: 2 })
    expect(existsSync(path.join(out, 'report.json'))).toBe(false)
    manners('')
    const ending = await play({ model: null, recipe: null, resume: true })
    expect(ending).toMatchObject({ kind: 'finished', value: { resumed: true, layers: { length: 8 } } })
  })

  test('after a crash', async () => {
    manners('crash-late')
    expect(codeOf(await play())).toBe('worker_crashed')
    manners('')
    expect(await play({ resume: true })).toMatchObject({ kind: 'finished', value: { resumed: true } })
  })

  test('after a cancel', async () => {
    manners('hang')
    const cancel = new AbortController()
    const onEvent: Attention['onEvent'] = ({ event }) => void (event === 'started' && cancel.abort())
    expect(await play({}, { onEvent, cancel: cancel.signal })).toEqual({ kind: 'cancelled' })
    manners('')
    expect(await play({ resume: true })).toMatchObject({ kind: 'finished', value: { resumed: false } })
  })

  test('a stop while measuring leaves a run whose layers are all there', async () => {
    const stop = new AbortController()
    const onEvent: Attention['onEvent'] = ({ event }, step) => {
      if (step.name === 'quantize' && event === 'finished') manners('hang')
      if (step.name === 'evaluate' && event === 'started') stop.abort()
    }
    expect(await play({}, { onEvent, stop: stop.signal })).toEqual({ kind: 'stopped', finishedLayers: 2, layers: 2 })
    manners('')
    expect((await play({ resume: true })).kind).toBe('finished')
  })

  test('but not with another recipe', async () => {
    manners('crash-late')
    await play()
    const ending = await play({ resume: true, recipe: recipe({ parameters: { bits: 3 } }) })
    expect(ending).toMatchObject({
      problem: { code: 'resume_mismatch', message: 'The run was begun with parameters.bits 2, not 3.' },
    })
  })
})

describe('refused before any work', () => {
  const asked = (changes: object, surroundings = context) => play({ recipe: recipe(changes) }, {}, surroundings)
  const cases: [string, () => ReturnType<typeof play>][] = [
    ['not_a_model_folder', () => play({ model: folder })],
    ['calibration_missing', () => asked({ calibration: null })],
    ['text_unreadable', () => asked({ calibration: { source: path.join(folder, 'none.txt') } })],
    ['calibration_too_short', () => asked({ calibration: { source: 'bundled:calibration-stories', length: 256 } })],
    ['calibration_too_short', () => asked({ calibration: { source: documents, sampling: 'documents', length: 256 } })],
    ['recipe_invalid', () => asked({ calibration: { source: '/t.txt', sampling: 'documents', length: 64 } })],
    ['recipe_invalid', () => asked({ calibration: { source: documents, sampling: 'documents', join: 'space' } })],
    ['recipe_invalid', () => asked({ evaluations: [{ source: '/t.u32', join: 'space' }] })],
    ['context_too_long', () => asked({ evaluations: [{ source: 'bundled:evaluation-stories', window: 512 }] })],
    [
      'context_too_long',
      () => asked({ calibration: { source: 'bundled:calibration-stories', sequences: 1, length: 512 } }),
    ],
    ['nothing_to_resume', () => play({ resume: true })],
    [
      'memory_short',
      () => asked({}, { ...context, machine: { ...context.machine, availableMemory: () => Promise.resolve(1e6) } }),
    ],
    [
      'disk_full',
      () => asked({}, { ...context, machine: { ...context.machine, freeDisk: () => Promise.resolve(1e3) } }),
    ],
    [
      'worker_missing',
      () => asked({}, { ...context, worker: { ok: false, problem: { code: 'worker_missing', message: 'Gone.' } } }),
    ],
  ]
  test.each(cases)('%s', async (code, start) => {
    expect(codeOf(await start())).toBe(code)
    expect(existsSync(out)).toBe(false)
  })

  test('run_in_use: a folder with other things keeps them as they are', async () => {
    await mkdir(out)
    await writeFile(path.join(out, 'thesis.txt'), 'mine')
    expect(codeOf(await play())).toBe('run_in_use')
    expect(codeOf(await play({ resume: true }))).toBe('run_in_use')
    expect(await readdir(out)).toEqual(['thesis.txt'])
    expect(codeOf(await play({ out: path.join(out, 'thesis.txt') }))).toBe('run_in_use')
  })

  test('write_failed: a folder that cannot be made', async () => {
    await writeFile(out, 'a file')
    expect(codeOf(await play({ out: path.join(out, 'below') }))).toBe('write_failed')
  })

  test('run_in_use: of two runs that begin at once in one folder, one goes on', async () => {
    const [first, second] = await Promise.all([play(), play()])
    expect([codeOf(first), codeOf(second)].toSorted()).toEqual(['finished', 'run_in_use'])
  })

  test('an empty folder is free', async () => {
    await mkdir(out)
    expect((await play()).kind).toBe('finished')
    expect(codeOf(await play())).toBe('run_in_use')
  })

  test('tokens_invalid: ids outside the vocabulary', async () => {
    const tokens = path.join(folder, 'large.u32')
    await writeFile(tokens, Buffer.from(Uint32Array.from({ length: 9000 }, () => 2048).buffer))
    expect(codeOf(await asked({ calibration: { source: tokens, sequences: 1, length: 16 } }))).toBe('tokens_invalid')
  })
})

test('what the worker says of a failure is what the caller hears', async () => {
  manners('fail')
  expect(await play()).toMatchObject({
    kind: 'failed',
    problem: { code: 'factor_failed', message: 'The Hessian could not be factored.' },
  })
})

describe('the other calls', () => {
  test('evaluate takes a model, a packed folder, and a run', async () => {
    const source = 'bundled:evaluation-stories'
    expect(await evaluate(context, { model, source, window: 128 }, {})).toMatchObject({
      value: { packed: false, text: { tokens: 3361 }, perplexity: { value: 30, window: 128, windows: 26 } },
    })
    await play()
    const tokens = path.join(out, 'evaluation.u32')
    for (const folder of [out, path.join(out, 'packed')]) {
      expect(await evaluate(context, { model: folder, source: tokens, window: null }, {})).toMatchObject({
        value: { model: path.join(out, 'packed'), packed: true, perplexity: { value: 40, window: 256 } },
      })
    }
  })

  test('layer', async () => {
    const input = path.join(model, 'model.safetensors')
    const request = { input, output: path.join(folder, 'out.safetensors'), recipe: recipe() }
    expect(await layer(context, request, {})).toMatchObject({
      kind: 'finished',
      value: { layer: { linear_bits: 2.1 } },
    })
    expect(await layer(context, { ...request, output: input }, {})).toMatchObject({
      problem: { code: 'option_invalid' },
    })
    expect(await layer(context, { ...request, input: folder }, {})).toMatchObject({ problem: { code: 'read_failed' } })
  })

  test('models', async () => {
    const found = await models(context, { folder: path.join(root, 'resources') }, {})
    expect(found).toMatchObject({ value: [{ name: path.join('models', 'signum-stories-4m'), problem: null }] })
    expect(await models(context, { folder: path.join(folder, 'none') }, {})).toMatchObject({
      problem: { code: 'read_failed' },
    })
  })

  test('doctor', async () => {
    const ending = await doctor(context, {})
    if (ending.kind !== 'finished') throw new Error(ending.kind)
    expect(ending.value.checks.filter(({ ok }) => !ok)).toEqual([])
    const ill = await doctor(
      { ...context, worker: { ok: false, problem: { code: 'worker_missing', message: 'Gone.' } } },
      {},
    )
    expect(ill).toMatchObject({ value: { checks: { 1: { name: 'worker', ok: false, remedy: 'npm run setup' } } } })
  })
})
