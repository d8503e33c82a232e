// Who may touch a run: with a clock that the test sets, and with processes that are really killed.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { History } from './history.ts'
import { leaseTime } from './leases.ts'
import { theseProcesses, type Owner, type Processes } from './owner.ts'
import { historyIn, newFolder, newRun, TestClock } from './testing/open.ts'

let data = ''
let clock: TestClock
const open: History[] = []
beforeEach(() => {
  data = newFolder()
  clock = new TestClock()
})
afterEach(() => {
  for (const history of open.splice(0)) history.close()
  rmSync(data, { recursive: true })
})
async function opened(changes: Partial<Processes> = {}): Promise<History> {
  const history = await historyIn(data, clock, changes)
  open.push(history)
  return history
}
function running(history: History): number {
  const run = history.runs.add(newRun())
  expect(history.decide(() => history.leases.acquire(run, 'cpu'))).toEqual({ ok: true, value: null })
  history.runs.goOn(run)
  return run
}
const status = (history: History, run: number) => history.runs.get(run)?.status
const elsewhere = (changes: Partial<Owner>): Partial<Processes> => ({
  self: { ...theseProcesses().self, ...changes },
})

describe('with a clock that is set', () => {
  test('a heartbeat keeps a run; without one it is interrupted, at the time of the last', async () => {
    const [mine, theirs] = [await opened(), await opened()]
    const run = running(mine)
    for (let i = 0; i < 3; i++) {
      clock.pass(leaseTime)
      expect(theirs.sweep()).toEqual({ ok: true, value: [] })
      expect(mine.leases.renew(run)).toBe(true)
    }
    const last = clock.time
    clock.pass(leaseTime + 1)
    expect(theirs.sweep()).toEqual({ ok: true, value: [run] })
    expect(theirs.runs.get(run)).toMatchObject({ status: 'interrupted', finished_at: last })
    expect(mine.leases.renew(run)).toBe(false)
  })

  test('a machine that slept has not missed its heartbeats, nor has one whose clock was set', async () => {
    const [mine, theirs] = [await opened(), await opened()]
    const run = running(mine)
    clock.time += 8 * 3600_000
    expect(theirs.sweep()).toEqual({ ok: true, value: [] })
    clock.time -= 24 * 3600_000
    expect(theirs.sweep()).toEqual({ ok: true, value: [] })
    expect(status(theirs, run)).toBe('running')
  })

  test('after a restart of the machine the time on the wall counts', async () => {
    const run = running(await opened(elsewhere({ boot_id: 'the start before' })))
    const now = await opened()
    clock.awake = 5
    clock.time += leaseTime
    expect(now.sweep()).toEqual({ ok: true, value: [] })
    clock.time += 1
    expect(now.sweep()).toEqual({ ok: true, value: [run] })
  })

  test('a heartbeat from far in the future is over too', async () => {
    const run = running(await opened(elsewhere({ boot_id: 'another machine' })))
    clock.time -= leaseTime + 1
    expect((await opened()).sweep()).toEqual({ ok: true, value: [run] })
  })

  test('where no clock of the machine is known, the one on the wall counts', async () => {
    clock.awake = null
    const run = running(await opened())
    clock.time += leaseTime + 1
    expect((await opened()).sweep()).toEqual({ ok: true, value: [run] })
  })

  test('a process of the same number that started at another time is another one', async () => {
    const run = running(await opened(elsewhere({ process_start: '1' })))
    expect((await opened()).sweep()).toEqual({ ok: true, value: [run] })
  })

  test('a run has one owner, and a device one run', async () => {
    const [mine, theirs] = [await opened(), await opened()]
    const run = running(mine)
    const other = theirs.runs.add(newRun())
    const codes = [
      theirs.decide(() => theirs.leases.acquire(run, null)),
      theirs.decide(() => theirs.leases.acquire(other, 'cpu')),
    ].map((result) => (result.ok ? 'held' : result.problem.code))
    expect(codes).toEqual(['run_busy', 'device_busy'])
    expect(theirs.decide(() => theirs.leases.acquire(other, 'cuda:0')).ok).toBe(true)
    expect(theirs.leases.renew(run)).toBe(false)
    theirs.leases.release(run)
    expect(mine.leases.renew(run)).toBe(true)
    mine.leases.release(run)
    expect(theirs.decide(() => theirs.leases.acquire(run, 'cpu')).ok).toBe(true)
  })

  test('a lease that holds a run alone, for its deletion, does not interrupt it', async () => {
    const mine = await opened()
    const run = mine.runs.add(newRun())
    mine.runs.end(run, 'finished')
    mine.decide(() => mine.leases.acquire(run, null))
    clock.pass(leaseTime + 1)
    expect(mine.sweep()).toEqual({ ok: true, value: [run] })
    expect(status(mine, run)).toBe('finished')
  })
})

describe('with real processes', () => {
  const children: ChildProcess[] = []
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
  })
  async function says(child: ChildProcess): Promise<string> {
    const [text] = (await once(child.stdout!, 'data')) as [Buffer]
    return text.toString().trim()
  }
  async function holder(run: number): Promise<{ child: ChildProcess; said: string }> {
    const file = path.join(import.meta.dirname, 'testing', 'holder.ts')
    const child = spawn(process.execPath, [file, data, String(run)], { stdio: ['pipe', 'pipe', 'inherit'] })
    children.push(child)
    return { child, said: await says(child) }
  }

  test('one that is killed leaves its run interrupted at once, and another goes on with it', async () => {
    const history = await historyIn(data)
    open.push(history)
    const run = history.runs.add(newRun())
    const first = await holder(run)
    expect(first.said).toBe('held')
    expect(history.sweep()).toEqual({ ok: true, value: [] })
    expect((await holder(run)).said).toBe('run_busy')
    first.child.kill('SIGKILL')
    await once(first.child, 'exit')
    expect(history.sweep()).toEqual({ ok: true, value: [run] })
    expect(status(history, run)).toBe('interrupted')
    expect((await holder(run)).said).toBe('held')
  })

  test('one that is only held up keeps its run until the lease is over, and then knows that it lost it', async () => {
    const real = await historyIn(data)
    open.push(real)
    const run = real.runs.add(newRun())
    const { child } = await holder(run)
    child.kill('SIGSTOP')
    expect(real.sweep()).toEqual({ ok: true, value: [] })
    const later = new TestClock()
    later.time = Date.now() + leaseTime + 1000
    later.awake = Number(process.hrtime.bigint() / 1_000_000n) + leaseTime + 1000
    const tomorrow = await historyIn(data, later)
    open.push(tomorrow)
    expect(tomorrow.sweep()).toEqual({ ok: true, value: [run] })
    child.kill('SIGCONT')
    child.stdin!.write('\n')
    expect(await says(child)).toBe('lost')
  })
})
