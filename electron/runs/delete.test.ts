// A run is deleted whole or not at all: every step is made to fail once, and once to be the last before a crash.
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { History } from '../history/history.ts'
import { leaseTime } from '../history/leases.ts'
import { historyIn, layerReport, newFolder, newRun, TestClock } from '../history/testing/open.ts'
import { deleteRun, sweepTrash, type Disk } from './delete.ts'
import { isOwnFile } from './folder.ts'

let data = ''
let folder = ''
let id = 0
let history: History
let clock: TestClock
beforeEach(async () => {
  data = newFolder()
  folder = path.join(data, 'run')
  clock = new TestClock()
  history = await historyIn(data, clock)
  mkdirSync(path.join(folder, 'packed'), { recursive: true })
  for (const name of ['recipe.json', 'evaluation-2.u32', 'state.json.partial', 'report.json.part', 'lock']) {
    writeFileSync(path.join(folder, name), name)
  }
  id = history.runs.add(newRun(folder))
  history.layerReports.put(id, layerReport('a'))
  history.runs.end(id, 'finished')
})
afterEach(() => {
  history.close()
  rmSync(data, { recursive: true })
})

const disk = (changes: Partial<Disk> = {}): Disk => ({
  rename,
  remove: (place) => rm(place, { recursive: true }),
  ...changes,
})
const refuses = () => Promise.reject(new Error('EACCES'))
/** What a process does that was killed: nothing more. */
const dies = () => new Promise<never>(() => undefined)
const trash = () => readdirSync(data).filter((name) => name.startsWith('.signum-trash'))

function expectWhole() {
  expect(readdirSync(folder)).toHaveLength(6)
  expect(history.runs.get(id)).toMatchObject({ status: 'finished', folder })
  expect(history.layerReports.ofRun(id)).toHaveLength(1)
  expectClean()
}
function expectGone() {
  expect(existsSync(folder)).toBe(false)
  expect(history.runs.get(id)).toBeNull()
  expectClean()
}
function expectClean() {
  expect([trash(), history.trash.list(), history.leases.ofRun(id)]).toEqual([[], [], null])
}
/** The next program: it finds the lease of the one that died over. */
async function restart(with_ = disk()): Promise<string[]> {
  clock.pass(leaseTime + 1)
  history.sweep()
  return (await sweepTrash(history, with_)).map(({ code }) => code)
}

test('a run goes with its folder', async () => {
  expect(await deleteRun(history, id)).toEqual({ kind: 'finished', value: { id, folder, notes: [] } })
  expectGone()
})

test('a run whose folder is gone already, or never was, goes alone', async () => {
  rmSync(folder, { recursive: true })
  expect((await deleteRun(history, id)).kind).toBe('finished')
  const waiting = history.runs.add(newRun())
  expect((await deleteRun(history, waiting)).kind).toBe('finished')
  expect(history.runs.list()).toEqual([])
})

describe('refused, with everything as it was', () => {
  const code = async () => {
    const ending = await deleteRun(history, id)
    return ending.kind === 'failed' ? ending.problem.code : ending.kind
  }
  test('a folder with files of others', async () => {
    writeFileSync(path.join(folder, 'thesis.txt'), 'mine')
    expect(await code()).toBe('delete_refused')
    rmSync(path.join(folder, 'thesis.txt'))
    expectWhole()
  })
  test('a run at work', async () => {
    history.decide(() => history.leases.acquire(id, 'cpu'))
    expect(await code()).toBe('run_busy')
    history.leases.release(id)
    expectWhole()
  })
  test('a run that is not there', async () => {
    expect(await deleteRun(history, 99)).toMatchObject({ problem: { code: 'run_unknown' } })
  })
})

describe('a step that fails', () => {
  test('the first renaming: nothing happened', async () => {
    const ending = await deleteRun(history, id, disk({ rename: refuses }))
    expect(ending).toMatchObject({ problem: { code: 'delete_failed' } })
    expectWhole()
  })

  test('the commit: the folder comes back', async () => {
    const { remove } = history.runs
    history.runs.remove = () => {
      throw new Error('disk I/O error')
    }
    expect(await deleteRun(history, id)).toMatchObject({ problem: { code: 'delete_failed' } })
    history.runs.remove = remove
    expectWhole()
  })

  test('the commit and the way back: the next start brings it back', async () => {
    const { remove } = history.runs
    history.runs.remove = () => {
      throw new Error('disk I/O error')
    }
    let first = true
    const once = (from: string, to: string) => {
      if (!first) return refuses()
      first = false
      return rename(from, to)
    }
    expect(await deleteRun(history, id, disk({ rename: once }))).toMatchObject({ problem: { code: 'delete_failed' } })
    history.runs.remove = remove
    expect([existsSync(folder), trash().length]).toEqual([false, 1])
    expect(await restart(disk({ rename: refuses }))).toEqual(['trash_left'])
    expect(await restart()).toEqual([])
    expectWhole()
  })

  test('the lease was lost on the way: the folder comes back', async () => {
    const slow = async (from: string, to: string) => {
      await rename(from, to)
      clock.pass(leaseTime + 1)
      history.sweep()
    }
    expect(await deleteRun(history, id, disk({ rename: slow }))).toMatchObject({ problem: { code: 'delete_failed' } })
    expect(await restart()).toEqual([])
    expectWhole()
  })

  test('the removal of the files: the run is gone, and the next start removes them', async () => {
    const ending = await deleteRun(history, id, disk({ remove: refuses }))
    expect(ending).toMatchObject({ kind: 'finished', value: { notes: [{ code: 'trash_left' }] } })
    expect([existsSync(folder), history.runs.get(id), trash().length]).toEqual([false, null, 1])
    expect(await restart(disk({ remove: refuses }))).toEqual(['trash_left'])
    expect(await restart()).toEqual([])
    expectGone()
  })
})

describe('a crash', () => {
  const killed = (changes: Partial<Disk>) => {
    void deleteRun(history, id, disk(changes))
    return new Promise((resolve) => setTimeout(resolve, 50))
  }
  test('before the renaming: the run is still there', async () => {
    await killed({ rename: dies })
    expect(await restart()).toEqual([])
    expectWhole()
  })

  test('between renaming and commit: the next start brings the folder back', async () => {
    await killed({ rename: (from, to) => rename(from, to).then(dies) })
    expect([existsSync(folder), trash().length]).toEqual([false, 1])
    // While the lease lasts, the deletion may still be under way.
    await sweepTrash(history)
    expect(existsSync(folder)).toBe(false)
    expect(await restart()).toEqual([])
    expectWhole()
  })

  test('between commit and removal: the next start removes the files', async () => {
    await killed({ remove: dies })
    expect([history.runs.get(id), trash().length]).toEqual([null, 1])
    expect(await restart()).toEqual([])
    expectGone()
  })
})

test.each([
  ['evaluation.u32', true],
  ['signum-activations-a1B2c3', true],
  ['recipe.json.part', true],
  ['diagnostics', true],
  ['thesis.json', false],
  ['packed2', false],
  ['evaluation-two.u32', false],
])('%s in a run is its own: %s', (name, own) => expect(isOwnFile(name)).toBe(own))
