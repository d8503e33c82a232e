// The layer lab with a window that only pretends.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ModelCard } from '../../../electron/contract/api.ts'
import { mostTrials, type Trial, type TrialRequest } from '../../../electron/contract/lab.ts'
import { methodIds } from '../../../electron/contract/methods.ts'
import type { Model } from '../../../electron/contract/records.ts'
import type { ask } from '../../client/client.ts'
import { Lab } from './lab.svelte.ts'

type Ask = typeof ask
const modelCard = (folder: string, parameters = 4e6, context = 128): ModelCard => ({
  id: 1,
  folder,
  name: folder.slice(1),
  bundled: false,
  problem: null,
  model: { path: folder, parameters, context, linears: ['q', 'k', 'v'].map((name) => ({ name })) } as Model,
})

let trials = 0
/** The output error tells which parameters it was asked for. */
const trialOf = ({ method, parameters }: TrialRequest): Trial =>
  ({
    trial: ++trials,
    report: { method, relative_output_error: Number(parameters?.['second_plane'] ?? -1) },
    linear: { pictures: ['sign', 'error'] },
    scale: { weight: 1, error: trials },
  }) as unknown as Trial

type Held = { name: string; request: TrialRequest; answer: (with_: unknown) => void }
let asked: Held[]
/** Calls that wait to be answered by the test. */
let holding: string[]
let models: ModelCard[]

const answers: Record<string, (request: never) => unknown> = {
  library: () => models,
  texts: () => [{ source: 'bundled:calibration-broad', bytes: 1, beginning: '' }],
  labOpen: () => ({ rows: 8, columns: 8, weights: { low: -1, high: 1, counts: [] }, tokens: 100, seconds: 1 }),
  labTry: trialOf,
  labClose: () => null,
}
const fake = ((name: string, request: TrialRequest) =>
  new Promise((done) => {
    const answer = (value: unknown) => done(value)
    asked.push({ name, request, answer })
    if (!holding.includes(name)) answer({ value: answers[name]!(request as never), problem: null })
  })) as unknown as Ask

const tries = () => asked.filter(({ name }) => name === 'labTry')
const settle = () => vi.advanceTimersByTimeAsync(1000)
const cancelled = { value: null, problem: { code: 'cancelled', message: 'This was cancelled.' } }

async function opened(wanted: { model?: string; linear?: string } = {}): Promise<Lab> {
  const lab = new Lab(fake)
  await lab.open(wanted)
  await settle()
  return lab
}

beforeEach(() => {
  vi.useFakeTimers()
  ;[asked, holding, trials, models] = [[], [], 0, [modelCard('/a'), modelCard('/b')]]
})
afterEach(() => {
  vi.useRealTimers()
})

describe('the table', () => {
  test('is laid with the first model, a text that it can read, and three recipes', async () => {
    const lab = await opened()
    expect(asked.find(({ name }) => name === 'labOpen')?.request).toEqual({
      model: '/a',
      linear: 'q',
      calibration: expect.objectContaining({ source: 'bundled:calibration-broad', length: 128 }) as unknown,
    })
    expect(tries().map(({ request }) => [request.slot, request.method])).toEqual([
      [0, 'billm'],
      [1, 'arb-rc'],
      [2, 'signum-rc'],
    ])
    expect(lab.cards.map(({ trial, stale }) => [trial?.trial, stale])).toEqual([
      [1, false],
      [2, false],
      [3, false],
    ])
    // One scale, wide enough for all.
    expect(lab.scale).toEqual({ weight: 1, error: 3 })
    expect(lab.pictures).toEqual(['sign', 'error'])
  })

  test('takes what another view wants, and stays as it is when nobody wants anything', async () => {
    const lab = await opened({ model: '/b', linear: 'v' })
    expect([lab.model, lab.linear]).toEqual(['/b', 'v'])
    const before = asked.filter(({ name }) => name === 'labOpen').length
    await lab.open({})
    await settle()
    expect([lab.model, lab.linear, lab.cards[0]?.trial?.trial]).toEqual(['/b', 'v', 1])
    expect(asked.filter(({ name }) => name === 'labOpen')).toHaveLength(before)
  })

  test('forgets what was seen when another linear comes, and drops the answer for the last one', async () => {
    const lab = await opened()
    holding = ['labOpen']
    lab.choose('/a', 'k')
    expect(lab.cards.every(({ trial }) => trial === null)).toBe(true)
    lab.choose('/a', 'v')
    const [k, v] = asked.filter(({ name }) => name === 'labOpen').slice(-2)
    v!.answer({ value: { rows: 3 }, problem: null })
    await settle()
    k!.answer({ value: { rows: 2 }, problem: null })
    await settle()
    expect(lab.table).toEqual({ rows: 3 })
    expect(tries().at(-1)?.request.linear).toBe('v')
  })

  test('shows how far it is, and can be given up', async () => {
    holding = ['labOpen']
    const lab = await opened()
    lab.hear({ phase: 'calibrate', share: 0.5, eta: 4 })
    expect(lab.opening).toEqual({ phase: 'calibrate', share: 0.5, eta: 4 })
    lab.cancel()
    expect(lab.opening).toBeNull()
    expect(lab.waiting).toBe(true)
    expect(asked.at(-1)?.name).toBe('labClose')
    // Its answer comes late.
    asked.find(({ name }) => name === 'labOpen')!.answer(cancelled)
    await settle()
    expect(lab.openProblem).toBeNull()
    expect(tries()).toEqual([])
  })

  test('waits to be told where a model is large', async () => {
    models = [modelCard('/large', 7e9)]
    const lab = await opened()
    expect(lab.waiting).toBe(true)
    expect(asked.some(({ name }) => name === 'labOpen')).toBe(false)
    await lab.fetch()
    await settle()
    expect(tries()).toHaveLength(3)
  })

  test('needs no text, and keeps to that on another model', async () => {
    const lab = await opened()
    lab.setCalibration(null)
    await settle()
    expect(tries().at(-1)?.request.calibration).toBeNull()
    lab.choose('/b')
    await settle()
    expect(tries().at(-1)?.request).toMatchObject({ model: '/b', calibration: null })
  })
})

describe('a recipe', () => {
  test('is tried anew when a parameter moves, once for many moves, with what was seen kept meanwhile', async () => {
    const lab = await opened()
    const card = lab.cards[2]!
    const before = tries().length
    for (const value of [0.1, 0.2, 0.3]) {
      card.slide('second_plane', value)
      await vi.advanceTimersByTimeAsync(30)
    }
    expect([card.stale, card.trial?.trial]).toEqual([true, 3])
    await settle()
    expect(tries()).toHaveLength(before + 1)
    expect(tries().at(-1)?.request).toMatchObject({ slot: 2, method: 'signum-rc', parameters: { second_plane: 0.3 } })
    expect([card.stale, card.trial?.report.relative_output_error]).toEqual([false, 0.3])
  })

  test('takes the last answer, whichever comes last', async () => {
    const lab = await opened()
    const card = lab.cards[2]!
    holding = ['labTry']
    card.slide('second_plane', 0.4)
    await vi.advanceTimersByTimeAsync(150)
    card.slide('second_plane', 0.5)
    await vi.advanceTimersByTimeAsync(150)
    const [first, second] = tries().slice(-2)
    second!.answer({ value: trialOf(second!.request), problem: null })
    first!.answer(cancelled)
    await settle()
    expect([card.trial?.report.relative_output_error, card.problem, card.stale]).toEqual([0.5, null, false])
  })

  test('that cannot be is not tried, and says why', async () => {
    const lab = await opened()
    const card = lab.cards[2]!
    const before = tries().length
    card.setParameter('second_plane', 7)
    await settle()
    expect(card.invalid['second_plane']).toMatch(/from 0 to 1/)
    expect(tries()).toHaveLength(before)
    card.slide('second_plane', 0.5)
    await settle()
    expect(card.invalid).toEqual({})
    expect(tries()).toHaveLength(before + 1)
  })

  test('says what went wrong and keeps what was seen', async () => {
    const lab = await opened()
    const card = lab.cards[0]!
    holding = ['labTry']
    card.setMethod('pb-llm')
    await vi.advanceTimersByTimeAsync(150)
    tries()
      .at(-1)!
      .answer({ value: null, problem: { code: 'recipe_invalid', message: 'No.' } })
    await settle()
    expect([card.problem?.code, card.trial?.trial]).toEqual(['recipe_invalid', 1])
  })

  test('keeps what was set when the method changes and comes back', async () => {
    const lab = await opened()
    const card = lab.cards[2]!
    card.setParameter('second_plane', 0.25)
    card.setMethod('rtn')
    card.setMethod('signum-rc')
    expect(card.parameters['second_plane']).toBe(0.25)
    card.reset()
    expect(card.mine).toEqual({})
  })
})

describe('the cards', () => {
  test('are up to six; the slot of one that goes is used again', async () => {
    const lab = await opened()
    lab.duplicate(lab.cards[1]!)
    lab.remove(lab.cards[0]!)
    lab.addMissing()
    await settle()
    expect(lab.cards).toHaveLength(mostTrials)
    expect(lab.cards.map(({ slot }) => slot).toSorted()).toEqual([0, 1, 2, 3, 4, 5])
    expect(lab.full).toBe(true)
    expect(lab.cards.every(({ trial }) => trial !== null)).toBe(true)
    expect(methodIds.length).toBeGreaterThan(mostTrials)
    lab.add({ method: 'rtn', parameters: {} })
    expect(lab.cards).toHaveLength(mostTrials)
  })
})
