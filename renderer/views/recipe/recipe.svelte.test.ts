// The controller of "New run" with a window that only pretends.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ModelCard } from '../../../electron/contract/api.ts'
import type { Curve } from '../../../electron/contract/curve.ts'
import type { Forecast, Readiness } from '../../../electron/contract/forecast.ts'
import { methods, type MethodId, type Parameters } from '../../../electron/contract/methods.ts'
import type { Model } from '../../../electron/contract/records.ts'
import type { ask } from '../../client/client.ts'
import { navigation } from '../../client/navigation.svelte.ts'
import { settings } from '../../client/settings.svelte.ts'
import { NewRun } from './recipe.svelte.ts'

const card = (folder: string, context = 256): ModelCard => ({
  id: 1,
  folder,
  name: folder.slice(1),
  bundled: false,
  problem: null,
  model: { path: folder, context, linears: ['up', 'down'].map((name) => ({ name })) } as Model,
})

/** Every method has three sizes, by its first parameter that is a number. */
function curvesWith(fixed: Partial<Record<MethodId, Parameters>>): Curve[] {
  return methods.map(({ id, parameters }) => {
    const usual = Object.fromEntries(parameters.map((one) => [one.key, one.default]))
    const chosen = parameters.find(({ type }) => type === 'integer' || type === 'number')!
    const values = chosen.key === 'second_plane' ? [0, 0.5, 1] : chosen.key === 'bits' ? [2, 3, 4] : [256, 128, 64]
    // F32 scales make everything a bit larger.
    const more = fixed[id]?.['scale_type'] === 'f32' ? 0.5 : 0
    const points = values.map((value, i) => {
      const size = 1 + i + more
      const most = { most_linear: size, most_file_bytes: size * 2e6 }
      const sizes = { nominal: 1, linear: size, file: size, linear_bytes: size * 1e6, file_bytes: size * 2e6, ...most }
      return { parameters: { ...usual, ...fixed[id], [chosen.key]: value }, ...sizes }
    })
    return { method: id, chooses: [chosen.key], exact: true, points }
  })
}

const forecastOf = (seconds: number) =>
  ({ seconds: { quantize: seconds }, expected: { linear: 9 } }) as unknown as Forecast
const fine: Readiness[] = [{ name: 'model', ok: true, state: 'fine', problem: null }]

type Request = Record<string, unknown>
let asked: [string, Request][] = []
let answers: Record<string, (request: Request) => unknown> = {}
const window = (async (name: string, request: Request) => {
  asked.push([name, request])
  await Promise.resolve()
  const answer = answers[name]
  return answer
    ? { value: answer(request), problem: null }
    : { value: null, problem: { code: 'none', message: 'None.' } }
}) as unknown as typeof ask
const requests = (name: string) => asked.filter(([one]) => one === name).map(([, request]) => request)
const rest = () => vi.advanceTimersByTimeAsync(1000)

beforeEach(() => {
  vi.useFakeTimers()
  asked = []
  answers = {
    library: () => [card('/big', 2048), card('/small', 64)],
    texts: () => [{ source: 'bundled:calibration-broad', bytes: 9, beginning: 'Once' }],
    curves: ({ fixed }) => curvesWith((fixed as Partial<Record<MethodId, Parameters>> | undefined) ?? {}),
    forecast: () => forecastOf(3),
    preflight: () => fine,
    enqueue: () => 7,
    text: ({ source }) => ({ source, bytes: 5, beginning: 'x' }),
  }
  settings.now = { ...settings.now, recipes: {}, threads: 2 }
})
afterEach(() => void vi.useRealTimers())

async function opened(folder?: string): Promise<NewRun> {
  const run = new NewRun(window)
  await run.open(folder)
  await rest()
  return run
}

describe('opened', () => {
  test('a stranger can start at once', async () => {
    const run = await opened()
    expect(run.draft).toMatchObject({ folder: '/big', method: 'signum-rc', threads: 2, calibration: { length: 256 } })
    expect([run.budget, run.sizes?.linear, run.startable]).toEqual([3, 3, true])
    expect(run.line).toContain('signum quantize /big --method signum-rc --calibration bundled:calibration-broad')
    await run.start()
    expect(requests('enqueue')).toEqual([
      {
        model: '/big',
        recipe: expect.objectContaining({ method: 'signum-rc' }) as unknown,
        name: null,
        threads: 2,
        device: 'auto',
        precision: 'f32',
      },
    ])
    expect(navigation.here).toEqual({ view: 'runs', run: 7 })
    expect(Object.keys(settings.now.recipes)).toEqual(['/big'])
  })

  test('with the model that is wanted, and with its last recipe', async () => {
    expect((await opened('/small')).draft).toMatchObject({ folder: '/small', calibration: { length: 64 } })
    const recipe = {
      signum_recipe: 1 as const,
      method: 'gptq' as const,
      parameters: { bits: 3 },
      overrides: [],
      embedding_type: 'source' as const,
      head_type: 'source' as const,
      calibration: null,
      evaluations: [],
    }
    settings.now = { ...settings.now, recipes: { '/small': recipe } }
    expect((await opened('/small')).draft).toMatchObject({
      method: 'gptq',
      given: { gptq: { bits: 3 } },
      evaluations: [],
    })
    expect((await opened('/elsewhere')).draft?.folder).toBe('/big')
  })

  test('again, it is where it was', async () => {
    const run = await opened()
    run.setParameter('refits', 2)
    await run.open(undefined)
    expect(run.draft?.given).toEqual({ 'signum-rc': { refits: 2 } })
  })

  test('without a model there is no draft, and what went wrong is said', async () => {
    answers['library'] = () => []
    expect((await opened()).draft).toBeNull()
    delete answers['library']
    expect((await opened()).problem?.message).toBe('None.')
  })
})

test('a preset is chosen, shown as what it is, and forgives what was typed over it', async () => {
  const run = await opened()
  run.setPreset('paper')
  expect([run.preset, run.draft?.given]).toEqual([null, {}])
  run.setMethod('arb')
  expect(run.preset?.id).toBe('paper')
  run.setParameter('scale_type', 'f32')
  run.setParameter('iterations', 101)
  expect(run.wrong).toBe(true)
  run.setPreset('fast')
  expect([run.preset?.id, run.wrong, run.parameters['iterations']]).toEqual(['fast', false, 3])
  expect(run.recipe?.parameters).toMatchObject({ iterations: 3, scale_type: 'f32' })
  run.setParameter('iterations', 5)
  expect(run.preset).toBeNull()
})

describe('the budget', () => {
  test('sets the parameters at once, without a question', async () => {
    const run = await opened()
    asked = []
    run.setBudget(2.2)
    expect(run.parameters['second_plane']).toBe(0.5)
    expect([run.sizes?.linear, run.budget, run.picked?.reach]).toEqual([2, 2.2, 'within'])
    expect(asked).toEqual([])
    await rest()
    expect(requests('forecast')).toHaveLength(1)
    expect(requests('curves')).toHaveLength(0)
  })

  test('goes along to another method, but only when it was asked for', async () => {
    const run = await opened()
    run.setMethod('gptq')
    expect([run.parameters['bits'], run.draft?.budget]).toEqual([2, null])
    run.setBudget(0.5)
    expect(run.picked?.reach).toBe('over')
    run.setMethod('signum-rc')
    expect([run.parameters['second_plane'], run.picked?.reach]).toEqual([0, 'over'])
  })

  test('is picked anew when what stays by hand makes everything larger', async () => {
    const run = await opened()
    run.setBudget(2.2)
    run.setParameter('scale_type', 'f32')
    await rest()
    const fixed = { 'signum-rc': { scale_type: 'f32' } }
    const { overrides, embedding_type, head_type, calibration } = run.recipe!
    const beside = { overrides, embedding_type, head_type, calibration }
    expect(requests('curves').at(-1)).toEqual({ model: '/big', fixed, ...beside })
    expect(run.parameters['second_plane']).toBe(0)
    expect(run.sizes?.linear).toBe(1.5)
  })

  test('in bytes is the size that was reached', async () => {
    const run = await opened()
    run.setBudget(2.2)
    run.setBy('file_bytes')
    expect(run.draft?.budget).toEqual({ by: 'file_bytes', value: 4e6 })
  })

  test('between two points of the curve the forecast says the size', async () => {
    const run = await opened()
    run.setParameter('second_plane', 0.7)
    await rest()
    expect(run.sizes?.linear).toBe(9)
  })
})

describe('overrides', () => {
  test('are part of every question, and of the line', async () => {
    const run = await opened()
    run.setOverrides([{ match: 'up', does: 'rtn', settings: 'bits=4' }])
    await rest()
    const overrides = [{ match: 'up', method: 'rtn', parameters: { bits: 4 } }]
    expect(requests('forecast').at(-1)).toMatchObject({ recipe: { overrides } })
    expect(requests('preflight').at(-1)).toMatchObject({ recipe: { overrides } })
    expect(requests('curves').at(-1)).toMatchObject({ overrides })
    expect(run.overrideStates).toEqual([{ problem: null, matches: { matches: 1, takes: 1 } }])
    expect(run.usualName).toBe('big signum-rc +1 override')
    expect(run.line).toContain('--override up=rtn:bits=4')
    expect(run.startable).toBe(true)
  })

  test('that mean nothing yet keep the run from starting, and stay out of the recipe', async () => {
    const run = await opened()
    run.setOverrides([{ match: '(', does: 'keep', settings: '' }])
    await rest()
    expect(run.overrideStates[0]!.problem).toMatch(/no regular expression/)
    expect([run.recipe!.overrides, run.line, run.startable]).toEqual([[], null, false])
  })
})

describe('what cannot be', () => {
  test('stays out of the recipe, is said, and keeps the run from starting', async () => {
    const run = await opened()
    run.setParameter('refits', 2)
    run.setParameter('refits', 99)
    run.setNumber('Sequences', 0, 1, Infinity, () => expect.unreachable())
    expect(run.invalid).toEqual({
      refits: 'Must be a whole number from 0 to 20.',
      Sequences: 'A whole number of at least 1.',
    })
    expect([run.parameters['refits'], run.startable, run.line]).toEqual([2, false, null])
    const before = run.renewed
    run.resetMethod()
    expect(run.renewed).toBe(before + 1)
    expect(Object.keys(run.invalid)).toEqual(['Sequences'])
    run.setNumber('Sequences', 3, 1, Infinity, (sequences) => run.setCalibration({ sequences }))
    expect([run.draft?.calibration.sequences, run.startable]).toEqual([3, true])
  })

  test('two parameters that do not go together are said together', async () => {
    const run = await opened()
    run.setMethod('billm')
    run.setParameter('max_salient', 100)
    run.setParameter('blocksize', 64)
    expect(run.together?.message).toContain('max_salient must be a whole number from 2 to blocksize (64)')
    expect(run.startable).toBe(false)
  })

  test('a check that fails keeps the run from starting', async () => {
    answers['preflight'] = () => [...fine, { name: 'memory', ok: false, state: 'short', problem: null }]
    const run = await opened()
    expect([run.startable, run.failing.map(({ name }) => name)]).toEqual([false, ['memory']])
    await run.start()
    expect(requests('enqueue')).toEqual([])
  })

  test('a queue that refuses is heard', async () => {
    const run = await opened()
    delete answers['enqueue']
    await run.start()
    expect([run.startProblem?.message, run.starting]).toEqual(['None.', false])
  })
})

test('a file of the person is read once and offered from then on', async () => {
  const run = await opened()
  answers['chooseText'] = () => '/my.txt'
  expect(await run.browse('A text')).toBe('/my.txt')
  expect(run.texts.map(({ source }) => source)).toEqual(['bundled:calibration-broad', '/my.txt'])
  await run.open(undefined)
  expect(run.texts).toHaveLength(2)
  delete answers['text']
  expect(await run.browse('A text')).toBeNull()
  expect(run.textProblem?.message).toBe('None.')
})
