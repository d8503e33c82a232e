// A deletion that can be undone: whole, or not at all, whichever step fails or is the last before a crash.
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { undoTime } from '../contract/history.ts'
import type { History } from '../history/history.ts'
import { leaseTime } from '../history/leases.ts'
import { historyIn, layerReport, newFolder, newRun, TestClock } from '../history/testing/open.ts'
import { sweepTrash, type Disk } from './delete.ts'
import { deleteLater, undoDelete } from './delete-later.ts'

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
  id = finished(folder)
})
afterEach(() => {
  history.close()
  rmSync(data, { recursive: true })
})

function finished(where: string): number {
  mkdirSync(where)
  writeFileSync(path.join(where, 'recipe.json'), '{}')
  const run = history.runs.add(newRun(where))
  history.layerReports.put(run, layerReport('a'))
  history.tags.add(run, 'paper')
  history.runs.end(run, 'finished')
  return run
}
const disk = (changes: Partial<Disk> = {}): Disk => ({
  rename,
  remove: (place) => rm(place, { recursive: true }),
  ...changes,
})
const refuses = () => Promise.reject(new Error('EACCES'))
const dies = () => new Promise<never>(() => undefined)
const trash = () => readdirSync(data).filter((name) => name.startsWith('.signum-trash'))
const ended = () => new Promise((resolve) => setTimeout(resolve, 50))

function expectWhole() {
  expect(readdirSync(folder)).toEqual(['recipe.json'])
  expect(history.runs.get(id)).toMatchObject({ status: 'finished', folder, tags: ['paper'] })
  expect(history.layerReports.ofRun(id)).toHaveLength(1)
  expectClean()
}
function expectGone() {
  expect([existsSync(folder), history.runs.get(id), history.runs.hidden()]).toEqual([false, null, []])
  expect(history.layerReports.ofRun(id)).toEqual([])
  expectClean()
}
/** Out of sight, and all of it still there. */
function expectHidden() {
  expect([existsSync(folder), history.runs.get(id), history.runs.list(), trash().length]).toEqual([false, null, [], 1])
  expect([history.layerReports.ofRun(id).length, history.leases.ofRun(id)]).toEqual([1, null])
}
const expectClean = () => expect([trash(), history.trash.list(), history.leases.ofRun(id)]).toEqual([[], [], null])
/** The next program: it finds the lease of the one that died over. */
async function restart(with_ = disk()): Promise<string[]> {
  clock.pass(leaseTime + 1)
  history.sweep()
  return (await sweepTrash(history, with_)).map(({ code }) => code)
}
const value = async <T>(ending: Promise<{ kind: string; value?: T }>): Promise<T> => {
  const { kind, value } = await ending
  expect(kind).toBe('finished')
  return value!
}

test('deleted, then brought back: everything is as it was', async () => {
  expect(await value(deleteLater(history, [id]))).toEqual({ deleted: [id], refused: [], until: clock.time + undoTime })
  expectHidden()
  expect(await value(undoDelete(history, [id]))).toEqual({ restored: [id], refused: [] })
  expectWhole()
})

test('once the time is over it goes with its files, and comes back no more', async () => {
  await deleteLater(history, [id])
  clock.pass(undoTime - 1)
  await sweepTrash(history)
  expectHidden()
  clock.pass(1)
  await sweepTrash(history)
  expectGone()
  const { restored, refused } = await value(undoDelete(history, [id]))
  expect([restored, refused.map(({ problem }) => problem.code)]).toEqual([[], ['undo_late']])
})

test('a clock that was set back keeps nothing for ever', async () => {
  await deleteLater(history, [id])
  clock.time -= 1000
  await sweepTrash(history)
  expectGone()
})

test('several at once, each for itself: what may not be deleted stays', async () => {
  const other = finished(path.join(data, 'other'))
  const foreign = finished(path.join(data, 'foreign'))
  writeFileSync(path.join(data, 'foreign', 'thesis.txt'), 'mine')
  const waiting = history.runs.add(newRun())
  const busy = finished(path.join(data, 'busy'))
  history.decide(() => history.leases.acquire(busy, 'cpu'))
  const { deleted, refused } = await value(deleteLater(history, [id, other, foreign, waiting, busy, 99, id]))
  expect(deleted).toEqual([id, other])
  expect(refused.map(({ id, problem }) => [id, problem.code])).toEqual([
    [foreign, 'delete_refused'],
    [waiting, 'run_busy'],
    [99, 'run_unknown'],
    [busy, 'run_busy'],
  ])
  expect(history.runs.list().map((run) => run.id)).toEqual([busy, waiting, foreign])
})

test('a run without files is hidden, brought back, and goes in time', async () => {
  rmSync(folder, { recursive: true })
  await deleteLater(history, [id])
  expect(history.runs.get(id)).toBeNull()
  await undoDelete(history, [id])
  expect(history.runs.get(id)).toMatchObject({ folder: null })
  await deleteLater(history, [id])
  clock.pass(undoTime)
  await sweepTrash(history)
  expectGone()
})

test('its folder is free for another run; then it cannot come back', async () => {
  await deleteLater(history, [id])
  const other = finished(folder)
  const { restored, refused } = await value(undoDelete(history, [id]))
  expect([restored, refused.map(({ problem }) => problem.code)]).toEqual([[], ['undo_refused']])
  clock.pass(undoTime)
  await sweepTrash(history)
  expect([trash(), readdirSync(folder), history.runs.get(other)?.folder]).toEqual([[], ['recipe.json'], folder])
})

describe('a step that fails', () => {
  test('the renaming: nothing happened', async () => {
    const { deleted, refused } = await value(deleteLater(history, [id], disk({ rename: refuses })))
    expect([deleted, refused[0]?.problem.code]).toEqual([[], 'delete_failed'])
    expectWhole()
  })

  test('the commit: the folder comes back', async () => {
    const { hide } = history.runs
    history.runs.hide = () => {
      throw new Error('disk I/O error')
    }
    expect((await value(deleteLater(history, [id]))).deleted).toEqual([])
    history.runs.hide = hide
    expectWhole()
  })

  test('the lease was lost on the way: the folder comes back', async () => {
    const slow = async (from: string, to: string) => {
      await rename(from, to)
      if (from !== folder) return
      clock.pass(leaseTime + 1)
      history.sweep()
    }
    expect((await value(deleteLater(history, [id], disk({ rename: slow })))).deleted).toEqual([])
    expect(await restart()).toEqual([])
    expectWhole()
  })

  test('the way back: the run is there, and the next start brings its folder', async () => {
    await deleteLater(history, [id])
    const { restored, refused } = await value(undoDelete(history, [id], disk({ rename: refuses })))
    expect([restored, refused[0]?.problem.code]).toEqual([[id], 'trash_left'])
    expect(await restart()).toEqual([])
    expectWhole()
  })

  test('the removal of the files: the next start tries again', async () => {
    await deleteLater(history, [id])
    clock.pass(undoTime)
    expect((await sweepTrash(history, disk({ remove: refuses }))).map(({ code }) => code)).toEqual(['trash_left'])
    expect([history.runs.get(id), trash().length]).toEqual([null, 1])
    expect(await restart()).toEqual([])
    expectGone()
  })
})

describe('a crash', () => {
  test('before the renaming: the run is still there', async () => {
    void deleteLater(history, [id], disk({ rename: dies }))
    await ended()
    expect(await restart()).toEqual([])
    expectWhole()
  })

  test('between renaming and commit: the next start brings the folder back', async () => {
    void deleteLater(history, [id], disk({ rename: (from, to) => rename(from, to).then(dies) }))
    await ended()
    expect([existsSync(folder), trash().length]).toEqual([false, 1])
    // While the lease lasts, the deletion may still be under way.
    await sweepTrash(history)
    expect(existsSync(folder)).toBe(false)
    expect(await restart()).toEqual([])
    expectWhole()
  })

  test('while the deletion can be undone: a start within the time leaves it so, a later one completes it', async () => {
    await deleteLater(history, [id])
    expect(await restart()).toEqual([])
    expectHidden()
    clock.pass(undoTime)
    expect(await restart()).toEqual([])
    expectGone()
  })

  test('on the way back: the next start completes it', async () => {
    await deleteLater(history, [id])
    void undoDelete(history, [id], disk({ rename: dies }))
    await ended()
    expect([existsSync(folder), history.runs.get(id)?.folder]).toEqual([false, folder])
    expect(await restart()).toEqual([])
    expectWhole()
  })

  test('between the last commit and the removal: the next start removes the files', async () => {
    await deleteLater(history, [id])
    clock.pass(undoTime)
    void sweepTrash(history, disk({ remove: dies }))
    await ended()
    expect([history.runs.get(id), trash().length]).toEqual([null, 1])
    expect(await restart()).toEqual([])
    expectGone()
  })
})
