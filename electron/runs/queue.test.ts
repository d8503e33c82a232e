// The queue with a worker that only pretends: order, stop, cancel, resume, and workers that crash or hang.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { QueueEvent } from '../contract/history.ts'
import type { History } from '../history/history.ts'
import { historyIn, newFolder, newRun } from '../history/testing/open.ts'
import type { Context } from './context.ts'
import { RunQueue } from './queue.ts'
import { quantize } from './quantize.ts'
import { contextOf, fakeWorker, model, recipe } from './testing/surroundings.ts'

let data = ''
let history: History
let queue: RunQueue
let events: QueueEvent[] = []
/** What the worker of each run does; of the others nothing special. */
let manners: Record<number, string> = {}
let react: (event: QueueEvent) => void = () => undefined
beforeEach(async () => {
  data = newFolder()
  history = await historyIn(data)
  queue = newQueue(history)
  events = []
  manners = {}
  react = () => undefined
})
afterEach(async () => {
  await queue.close()
  vi.unstubAllEnvs()
  history.close()
  rmSync(data, { recursive: true })
})

function newQueue(of: History, changes: Partial<Context> = {}): RunQueue {
  return new RunQueue({
    history: of,
    start: (request, attention, id) => {
      vi.stubEnv('SIGNUM_FAKE', manners[id] ?? '')
      return quantize(contextOf(of, { silence: 1500, ...changes }), request, attention, id)
    },
    listener: (event) => {
      events.push(event)
      react(event)
    },
    retry: 20,
  })
}
function add(changes: Partial<Parameters<RunQueue['add']>[0]> = {}): number {
  const added = queue.add({ model, recipe: recipe(), out: null, name: null, threads: 1, ...changes })
  if (!added.ok) throw new Error(added.problem.message)
  return added.value
}
const waiting = () => {
  const list = queue.list()
  return list.ok ? list.value.map(({ id }) => id) : []
}
const status = (id: number) => history.runs.get(id)?.status
const ended = () => events.flatMap((event) => (event.kind === 'ended' ? event.run : []))
const allEnded = (count: number) => vi.waitFor(() => expect(ended()).toHaveLength(count), { timeout: 20_000 })
const whenever = (run: number, name: string, act: () => void) => (event: QueueEvent) =>
  void (event.kind === 'event' && event.run === run && event.event.event === name && act())

describe('order', () => {
  test('first come, first served, each in a folder of its own, one at a time', async () => {
    const ids = [add(), add({ recipe: recipe({ parameters: { bits: 3 } }) }), add({ name: 'third' })]
    expect(waiting()).toEqual(ids)
    expect(queue.running).toEqual([])
    let together = 0
    react = () => {
      const running = history.runs.list().filter((run) => run.status === 'running').length
      together = Math.max(together, running)
    }
    queue.open()
    await allEnded(3)
    expect([ended(), together, waiting()]).toEqual([ids, 1, []])
    expect(history.runs.list().reverse()).toMatchObject(
      ['signum-stories-4m rtn', 'signum-stories-4m rtn bits=3', 'third'].map((name, i) => ({
        name,
        status: 'finished',
        folder: path.join(data, 'runs', String(ids[i])),
      })),
    )
    expect(events.map(({ kind }) => kind)).toContain('changed')
  })

  test('can be changed while they wait', async () => {
    const [a, b, c] = [add(), add(), add()]
    expect(queue.move(c, a).ok).toBe(true)
    expect(queue.move(a, null).ok).toBe(true)
    expect(queue.move(99, null)).toMatchObject({ problem: { code: 'run_unknown' } })
    queue.open()
    await allEnded(3)
    expect(ended()).toEqual([c, b, a])
  })

  test('a run that is added while another is at work comes after it', async () => {
    const first = add()
    let second = 0
    react = whenever(first, 'plan', () => (second = add()))
    queue.open()
    await allEnded(2)
    expect(ended()).toEqual([first, second])
  })
})

describe('a run that goes wrong does not hold up the next', () => {
  test.each([
    ['crash', 'worker_crashed'],
    ['crash-late', 'worker_crashed'],
    ['hang,deaf', 'worker_hung'],
    ['fail', 'factor_failed'],
  ])('%s', async (words, code) => {
    const [bad, good] = [add(), add()]
    manners = { [bad]: words }
    queue.open()
    await allEnded(2)
    expect(history.runs.get(bad)).toMatchObject({ status: 'failed', error_code: code })
    expect(status(good)).toBe('finished')
  })

  test('one that is refused before any work', async () => {
    const [bad, good] = [add({ model: data }), add()]
    queue.open()
    await allEnded(2)
    expect(history.runs.get(bad)).toMatchObject({
      status: 'failed',
      error_code: 'not_a_model_folder',
      started_at: null,
    })
    expect(status(good)).toBe('finished')
  })

  test('one by a bug of ours', async () => {
    await queue.close()
    const thrown = new RunQueue({
      history,
      start: () => Promise.reject(new Error('unforeseen')),
      listener: (event) => events.push(event),
    })
    queue = thrown
    const ids = [add(), add()]
    queue.open()
    await allEnded(2)
    expect(ids.map((id) => history.runs.get(id)?.error_code)).toEqual(['internal', 'internal'])
  })
})

describe('several at once', () => {
  const several = (count: number, wrong = false) =>
    Array.from({ length: count }, (_, i) => ({
      model,
      recipe: wrong && i === count - 1 ? { ...recipe(), parameters: { bits: 99 } } : recipe(),
      out: null,
      name: `number ${i + 1}`,
      threads: 1,
    }))

  test('stand in the queue in their order, told of once; or none of them', () => {
    const added = queue.addAll(several(3))
    expect([added, waiting()]).toEqual([{ ok: true, value: [1, 2, 3] }, [1, 2, 3]])
    expect(events).toEqual([{ kind: 'changed' }])
    expect(queue.addAll(several(3, true))).toMatchObject({ ok: false, problem: { code: 'recipe_invalid' } })
    expect(waiting()).toEqual([1, 2, 3])
  })

  test('are cancelled together, the one at work too; others go on', async () => {
    const added = queue.addAll(several(4))
    manners = { 1: 'slow' }
    react = whenever(1, 'plan', () => queue.cancelAll([1, 2, 3, 99]))
    queue.open()
    await allEnded(2)
    expect(added.ok && added.value.map(status)).toEqual(['cancelled', 'cancelled', 'cancelled', 'finished'])
  })
})

describe('stop, cancel, resume', () => {
  test('a run that is stopped has its layer, the next begins, and it goes on last', async () => {
    const [first, second] = [add(), add()]
    manners = { [first]: 'slow' }
    react = whenever(first, 'plan', () => queue.stop(first))
    queue.open()
    await allEnded(2)
    expect(history.runs.get(first)).toMatchObject({ status: 'stopped', finished_layers: 1 })
    expect(status(second)).toBe('finished')
    react = () => undefined
    manners = {}
    expect(queue.resume(second)).toMatchObject({ problem: { code: 'run_busy' } })
    expect(queue.resume(first).ok).toBe(true)
    await allEnded(3)
    expect(history.runs.get(first)).toMatchObject({ status: 'finished', finished_layers: 2 })
    const resumed = events.flatMap((event) =>
      event.kind === 'event' && event.event.event === 'plan' ? event.event : [],
    )
    expect(resumed.at(-1)).toMatchObject({ resumed_layers: 1 })
  })

  test('a cancel ends the run at work, and takes out one that waits', async () => {
    const [first, second, third] = [add(), add(), add()]
    manners = { [first]: 'hang' }
    react = whenever(first, 'started', () => {
      queue.cancel(first)
      queue.cancel(second)
    })
    queue.open()
    await allEnded(2)
    expect([first, second, third].map(status)).toEqual(['cancelled', 'cancelled', 'finished'])
    expect(queue.cancel(second)).toMatchObject({ problem: { code: 'run_unknown' } })
    expect(queue.stop(first)).toMatchObject({ problem: { code: 'run_unknown' } })
    // One was begun and one was not: both can be taken up again.
    react = () => undefined
    manners = {}
    expect([queue.resume(second).ok, queue.resume(first).ok]).toEqual([true, true])
    await allEnded(4)
    expect([first, second].map(status)).toEqual(['finished', 'finished'])
  })

  test('a run whose folder somebody else has filled is not theirs to go on with', async () => {
    const out = path.join(data, 'mine')
    const id = add({ out })
    mkdirSync(out)
    writeFileSync(path.join(out, 'recipe.json'), JSON.stringify({ ...recipe(), model }))
    queue.open()
    await allEnded(1)
    expect(history.runs.get(id)).toMatchObject({ status: 'failed', error_code: 'run_in_use' })
    expect(queue.add({ model, recipe: recipe(), out, name: null, threads: 0 })).toMatchObject({
      problem: { code: 'run_in_use' },
    })
  })

  test('a run that is deleted just as it begins does not begin', async () => {
    const id = add()
    // The row is read, and the model looked at, before the run is claimed.
    react = ({ kind }) => void (kind === 'started' && setImmediate(() => history.runs.remove(id)))
    queue.open()
    await allEnded(1)
    expect(events).toContainEqual(
      expect.objectContaining({ ending: expect.objectContaining({ kind: 'failed' }) as unknown }),
    )
    expect(existsSync(path.join(data, 'runs', String(id)))).toBe(false)
    expect(history.runs.list()).toEqual([])
  })

  test('a recipe that is wrong never gets in', () => {
    const wrong = { ...recipe(), parameters: { bits: 99 } }
    expect(queue.add({ model, recipe: wrong, out: null, name: null, threads: 0 })).toMatchObject({
      problem: { code: 'recipe_invalid' },
    })
    expect(history.runs.list()).toEqual([])
  })
})

describe('over the end of the program', () => {
  test('what waited still waits, in its order', async () => {
    const ids = [add(), add()]
    await queue.close()
    queue = newQueue(history)
    expect(waiting()).toEqual(ids)
    queue.open()
    await allEnded(2)
    expect(ended()).toEqual(ids)
  })

  test('closing lets the run at work end, and begins no other', async () => {
    const [first, second] = [add(), add()]
    manners = { [first]: 'slow' }
    const begun = new Promise<void>((resolve) => (react = whenever(first, 'plan', resolve)))
    queue.open()
    await begun
    queue.stop(first)
    await queue.close()
    expect([status(first), status(second), queue.running]).toEqual(['stopped', 'queued', []])
  })
})

test('a device that another process has is waited for', async () => {
  const theirs = await historyIn(data)
  const other = theirs.runs.add(newRun())
  theirs.decide(() => theirs.leases.acquire(other, 'cpu'))
  const id = add()
  queue.open()
  await vi.waitFor(() => expect(events.map(({ kind }) => kind)).toContain('waiting'))
  const message = `It waits for the processor, where run ${other} is at work in another program (process ${process.pid}).`
  expect([status(id), queue.running, queue.waits]).toEqual(['queued', [], [{ run: id, message }]])
  theirs.leases.release(other)
  await allEnded(1)
  expect(status(id)).toBe('finished')
  theirs.close()
})

describe('several devices', () => {
  /** Cards of which one is small; runs named `large` fit only on the other. */
  function withCards(): RunQueue {
    return new RunQueue({
      history,
      start: (request, attention, id) => {
        vi.stubEnv('SIGNUM_FAKE', `cards,${manners[id] ?? ''}`)
        const context = contextOf(history, { cuda: { ok: true, value: fakeWorker } })
        return quantize(context, request, attention, id)
      },
      candidates: ({ name }) =>
        Promise.resolve({ devices: name === 'large' ? ['cuda:1'] : ['cuda:1', 'cuda:0'], why: 'It fits.' }),
      listener: (event) => {
        events.push(event)
        react(event)
      },
      retry: 20,
    })
  }
  beforeEach(() => (queue = withCards()))
  const devices = (ids: readonly number[]) => ids.map((id) => history.runs.get(id)?.device)

  test('runs on different devices are at work beside each other, one on each', async () => {
    const ids = [add(), add(), add({ device: 'cpu' })]
    for (const id of ids) manners[id] = 'slow'
    let most = 0
    react = () => (most = Math.max(most, queue.running.length))
    queue.open()
    await allEnded(3)
    expect([most, devices(ids)]).toEqual([3, ['cuda:1', 'cuda:0', 'cpu']])
    expect(history.runs.get(ids[0]!)).toMatchObject({
      status: 'finished',
      device_name: 'Fake card 1',
      precision: 'f32',
      device_peak_bytes: 4e9,
    })
    expect(history.runs.get(ids[2]!)).toMatchObject({ device_name: null, precision: null, device_peak_bytes: null })
  })

  test('none overtakes another that waits for the same device', async () => {
    const [first, large, small, other] = [
      add(),
      add({ name: 'large' }),
      add({ device: 'cuda:1' }),
      add({ device: 'cpu' }),
    ]
    for (const id of [first, large, small, other]) manners[id] = 'slow'
    queue.open()
    await allEnded(4)
    const begun = events.flatMap((event) => (event.kind === 'started' ? event.run : []))
    expect(begun).toEqual([first, other, large, small])
    expect(devices([first, large, small])).toEqual(['cuda:1', 'cuda:1', 'cuda:1'])
    const waits = events.flatMap((event) => (event.kind === 'waiting' ? [[event.run, event.message]] : []))
    expect(waits).toEqual([
      [large, `It fits only on cuda:1, where run ${first} is at work.`],
      [small, `It waits for cuda:1, for which run ${large} waits before it.`],
      [small, `It waits for cuda:1, where run ${large} is at work.`],
    ])
    expect(queue.waits).toEqual([])
  })

  test('each is stopped, cancelled and resumed by itself, and goes on where it was', async () => {
    const [one, two] = [add({ device: 'cuda:0', precision: 'tf32' }), add({ device: 'cpu' })]
    manners = { [one]: 'slow', [two]: 'slow' }
    react = whenever(one, 'plan', () => queue.stop(one))
    queue.open()
    await allEnded(2)
    expect([status(one), status(two)]).toEqual(['stopped', 'finished'])
    react = () => undefined
    queue.resume(one)
    await allEnded(3)
    expect(history.runs.get(one)).toMatchObject({ status: 'finished', device: 'cuda:0', precision: 'tf32' })
  })

  test('a run goes on on another device where that is asked for, and the worker is told', async () => {
    const id = add({ device: 'cuda:0' })
    manners = { [id]: 'slow' }
    react = whenever(id, 'plan', () => queue.stop(id))
    queue.open()
    await allEnded(1)
    react = () => undefined
    expect(queue.resume(id, 1, 'cpu').ok).toBe(true)
    await allEnded(2)
    expect(history.runs.get(id)).toMatchObject({ status: 'finished', device: 'cpu', device_name: null })
    const job = JSON.parse(readFileSync(path.join(data, 'runs', String(id), 'job.json'), 'utf8')) as object
    expect(job).toMatchObject({ resume: true, resume_elsewhere: true })
    expect(job).not.toHaveProperty('device')
  })

  test('a card without enough memory says what was needed, and holds up nothing else', async () => {
    const [short, next] = [add({ device: 'cuda:0' }), add({ device: 'cuda:0' })]
    manners = { [short]: 'card-short' }
    queue.open()
    await allEnded(2)
    expect([status(short), status(next)]).toEqual(['failed', 'finished'])
    const told = 'The run needs 24.5 GB of Fake card 0, which has 20 GB to give: fewer sequences need less.'
    expect(history.runs.get(short)).toMatchObject({ error_code: 'device_memory_short', error_message: told })
  })
})
