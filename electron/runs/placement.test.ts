// Where runs compute, with cards that a worker only pretends to have: a small one (20 GB free) and a large one (60 GB); a
// calibration sequence takes 1 GB of them.
import { rmSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { History } from '../history/history.ts'
import { historyIn, newFolder, newRun } from '../history/testing/open.ts'
import { cards, deviceFields, findCards } from './cards.ts'
import type { Context } from './context.ts'
import { doctor } from './doctor.ts'
import { forecast } from './forecast.ts'
import type { DevicePlan } from '../contract/devices.ts'
import { candidatesOf, choose, placement, placeWork } from './placement.ts'
import { prepare } from './prepare.ts'
import { readiness } from './readiness.ts'
import { changeSettings } from './settings.ts'
import { contextOf, fakeWorker, model, recipe } from './testing/surroundings.ts'

let data = ''
let history: History
let context: Context
beforeEach(async () => {
  data = newFolder()
  history = await historyIn(data)
  context = contextOf(history, { cuda: { ok: true, value: fakeWorker } })
  vi.stubEnv('SIGNUM_FAKE', 'cards')
})
afterEach(() => {
  vi.unstubAllEnvs()
  history.close()
  rmSync(data, { recursive: true })
})

const calibrated = (sequences: number) =>
  recipe({ calibration: { source: 'bundled:calibration-stories', sequences, length: 64 } })
const placed = async (sequences: number, device?: string) => {
  const ending = await placement(context, { model, recipe: calibrated(sequences), device }, {})
  return ending.kind === 'finished' ? ending.value : ending
}
const busy = (device: string) => {
  const id = history.runs.add(newRun())
  history.decide(() => history.leases.acquire(id, device))
  return id
}

describe('left to Signum', () => {
  test('the card with the most free memory', async () => {
    expect(await placed(10)).toEqual({
      device: 'cuda:1',
      name: 'Fake card 1',
      reason: 'It fits on this card, which has the most free memory.',
      plan: {
        needed_bytes: 10e9,
        parts: [{ name: 'activations', bytes: 10e9 }],
        activations: 'device',
        fits: true,
        advice: null,
        host_bytes: 1e9,
        card: 'Fake card 1 (cuda:1)',
        available_bytes: 60e9,
      },
    })
  })

  test('another one where that is busy, and a wait where no other will do', async () => {
    const run = busy('cuda:1')
    expect(await placed(10)).toMatchObject({ device: 'cuda:0' })
    const waits = `It fits on this card, and waits for run ${run}, which is at work there.`
    expect(await placed(40)).toMatchObject({ device: 'cuda:1', reason: waits })
    expect(await placed(10, 'cuda:1')).toMatchObject({
      reason: `As chosen: it waits for run ${run}, which is at work there.`,
    })
  })

  test('what a run has of a card is there again when it ends', async () => {
    // 60 GB are free, 80 GB are what the card has.
    expect(await placed(70)).toMatchObject({ device: 'cpu' })
    busy('cuda:1')
    expect(await placed(70)).toMatchObject({ device: 'cuda:1', plan: { available_bytes: 75e9 } })
    const checks = await readiness(context, { model, recipe: calibrated(70), device: 'cuda:1' }, {})
    expect(checks.kind === 'finished' && checks.value.at(-1)).toMatchObject({ name: 'device', ok: true })
  })

  test('the processor where it fits on none, with what it needs', async () => {
    const reason =
      'It needs 90.0 GB of a card, and Fake card 1 (cuda:1) has 60.0 GB to give: so it runs on the processor.'
    expect(await placed(90)).toMatchObject({
      device: 'cpu',
      reason,
      plan: { fits: false, advice: 'Use fewer sequences.' },
    })
  })

  test('a limit counts as what there is', async () => {
    await changeSettings(context, { deviceMemory: { 'GPU-fake-1': 15e9 } })
    expect(await placed(18)).toMatchObject({ device: 'cuda:0' })
    expect(await placed(10)).toMatchObject({ device: 'cuda:0', plan: { available_bytes: 20e9 } })
    expect(await deviceFields(context, 'cuda:1', undefined)).toEqual({
      device: 'cuda:1',
      precision: 'f32',
      device_memory_limit: 15e9,
    })
  })

  test('the folder of libraries goes along with every job for a card, and with the question for cards', async () => {
    await changeSettings(context, { deviceLibraries: '/opt/cuda/lib' })
    expect(await deviceFields(context, 'cuda:0')).toMatchObject({ device_libraries: '/opt/cuda/lib' })
    expect(await deviceFields(context, 'cpu')).toEqual({})
    const { libraries } = await findCards(context)
    expect(libraries[0]).toMatchObject({ path: '/opt/cuda/lib/libcublas.so.12' })
  })

  test('the settings say where runs go that say nothing', async () => {
    await changeSettings(context, { device: 'cpu' })
    expect(await placed(10)).toMatchObject({ device: 'cpu', reason: 'As chosen.', plan: null })
    expect(await placed(10, 'auto')).toMatchObject({ device: 'cuda:1' })
  })

  test('every card that it fits on is one that the queue may take', async () => {
    const row = (sequences: number) => {
      const id = history.runs.add({ ...newRun(), recipe: { ...calibrated(sequences), model } })
      return history.runs.get(id)!
    }
    const why = 'Left to Signum: it fits there.'
    expect(await candidatesOf(context, row(10))).toEqual({ devices: ['cuda:1', 'cuda:0'], why })
    expect(await candidatesOf(context, row(40))).toEqual({ devices: ['cuda:1'], why })
    expect(await candidatesOf(context, row(90))).toEqual({
      devices: ['cpu'],
      why: 'It needs 90.0 GB of a card, and Fake card 1 (cuda:1) has 60.0 GB to give: so it runs on the processor.',
    })
  })

  test('other work goes to a free card with enough memory', async () => {
    expect(await placeWork(context, undefined, 1e9, {})).toEqual({ kind: 'finished', value: 'cuda:1' })
    expect(await placeWork(context, 'auto', 70e9, {})).toEqual({ kind: 'finished', value: 'cpu' })
    busy('cuda:1')
    expect(await placeWork(context, 'auto', 1e9, {})).toEqual({ kind: 'finished', value: 'cuda:0' })
    const message = 'There is no cuda:7. Here are Fake card 0 (cuda:0), Fake card 1 (cuda:1).'
    expect(await placeWork(context, 'cuda:7', 0, {})).toMatchObject({ problem: { code: 'device_missing', message } })
  })
})

test('choosing is pure: free cards first, then memory', () => {
  const plan: DevicePlan = {
    needed_bytes: 1,
    parts: [],
    activations: 'device',
    fits: true,
    advice: null,
    host_bytes: 1,
  }
  const card = (id: string) => ({ id, name: id, uuid: id, memory_bytes: 9, free_bytes: 9, compute: '9.0' })
  const all = ['cuda:0', 'cuda:1', 'cuda:2'].map((id, i) => ({ card: card(id), plan, available: i + 1 }))
  expect(choose(all, () => undefined).candidates).toEqual(['cuda:2', 'cuda:1', 'cuda:0'])
  expect(choose(all, (id) => (id === 'cuda:2' ? 5 : undefined)).candidates).toEqual(['cuda:1', 'cuda:0', 'cuda:2'])
})

describe('a device that was named', () => {
  test('is taken, and one that is too small is said before the start', async () => {
    expect(await placed(10, 'cuda:0')).toMatchObject({ device: 'cuda:0', reason: 'As chosen.' })
    const checks = await readiness(context, { model, recipe: calibrated(24), device: 'cuda:0' }, {})
    expect(checks.kind === 'finished' && checks.value.at(-1)).toMatchObject({
      name: 'device',
      ok: false,
      problem: {
        code: 'device_memory_short',
        message: 'The run needs 24.0 GB of Fake card 0 (cuda:0), which has 20.0 GB to give: Use fewer sequences.',
      },
    })
  })

  test('that is not there is refused with the reason', async () => {
    vi.stubEnv('SIGNUM_FAKE', 'no-driver')
    const reason = 'This machine has no NVIDIA driver: libcuda.so.1 was not found.'
    const message = `There is no cuda:0. ${reason}`
    expect(await placed(1, 'cuda:0')).toMatchObject({ problem: { code: 'device_missing', message } })
    expect(await placed(1)).toMatchObject({ device: 'cpu', reason })
    const checks = await readiness(context, { model, recipe: calibrated(1), device: 'cuda:0' }, {})
    expect(checks.kind === 'finished' && checks.value.at(-1)).toMatchObject({ ok: false, problem: { message } })
  })
})

describe('the list of cards', () => {
  test('says which is at work', async () => {
    const id = busy('cuda:0')
    const list = await cards(context)
    expect(list.kind === 'finished' && list.value.devices.map(({ run }) => run)).toEqual([id, null])
  })

  test('is empty without a CUDA worker, and says what to do', async () => {
    const list = await cards(contextOf(history))
    expect(list).toMatchObject({
      value: { worker: null, devices: [], reason: expect.stringContaining('CUDA toolkit') as string },
    })
  })

  test('is what doctor tells', async () => {
    const states = async (of: Context) => {
      const told = await doctor(of, {})
      if (told.kind !== 'finished') throw new Error(told.kind)
      return told.value.checks.filter(({ name }) => /^(GPU|CUDA)/.test(name)).map(({ ok, state }) => [ok, state])
    }
    expect(await states(context)).toEqual([
      [true, 'Fake card 0 (cuda:0): 24.0 GB, 20.0 GB free, compute 9.0'],
      [true, 'Fake card 1 (cuda:1): 80.0 GB, 60.0 GB free, compute 9.0'],
      [true, 'driver for CUDA 550.54, built with CUDA 12.4'],
      [true, 'cuBLAS 12.4 (/usr/lib/libcublas.so.12); cuSOLVER not found: own kernels serve, slower'],
    ])
    const [none] = await states(contextOf(history))
    expect(none).toEqual([true, expect.stringContaining('This build has no CUDA worker')])
  })
})

test('a run that was begun on one kind of device goes on on the other only where that is asked for', async () => {
  const { writeFile, mkdir } = await import('node:fs/promises')
  const out = path.join(data, 'begun')
  await mkdir(out)
  const asked = { ...recipe(), model }
  await writeFile(path.join(out, 'recipe.json'), JSON.stringify(asked))
  await writeFile(path.join(out, 'state.json'), '{}')
  await writeFile(path.join(out, 'job.json'), JSON.stringify({ device: 'cuda:0', precision: 'tf32' }))
  const resumed = (device?: string) => prepare(context, { model: null, recipe: null, out, resume: true, device }, {})
  expect(await resumed('cpu')).toMatchObject({ problem: { code: 'resume_mismatch' } })
  expect(
    await prepare(context, { model: null, recipe: null, out, resume: true, device: 'cpu', elsewhere: true }, {}),
  ).toMatchObject({ value: { device: { id: 'cpu', fields: {} }, elsewhere: true, resume: true } })
  const fields = { device: 'cuda:0', precision: 'tf32' }
  for (const device of [undefined, 'auto']) {
    expect(await resumed(device)).toMatchObject({ value: { device: { id: 'cuda:0', name: 'Fake card 0', fields } } })
  }
})

test('a run on a card needs of the computer what its plan says, wherever that is looked at', async () => {
  const seen = async (device: string) => {
    const recipe = calibrated(10)
    const [checks, costs] = await Promise.all([
      readiness(context, { model, recipe, device }, {}),
      forecast(context, { model, recipe, device }, {}),
    ])
    if (checks.kind !== 'finished' || costs.kind !== 'finished') throw new Error('not looked at')
    const memory = checks.value.find(({ name }) => name === 'memory')?.state
    return { memory, needed: costs.value.memory.needed }
  }
  const onCard = await seen('cuda:1')
  expect(onCard.needed).toBe(1e9)
  expect(onCard.memory).toContain('needs 1.00 GB of')
  expect((await seen('cpu')).memory).not.toContain('needs 1.00 GB of')
  const machine = { ...context.machine, availableMemory: () => Promise.resolve(0.9e9) }
  const poor = contextOf(history, { cuda: { ok: true, value: fakeWorker }, machine })
  const out = path.join(data, 'poor')
  const request = { model, recipe: calibrated(10), out }
  expect(await prepare(poor, { ...request, device: 'cuda:1' }, {})).toMatchObject({ problem: { code: 'memory_short' } })
  expect(await prepare(poor, { ...request, device: 'cpu' }, {})).toMatchObject({ kind: 'finished' })
})
