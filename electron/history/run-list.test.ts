// The list for the window against the answer of `runs`, and what travels after a change.
import { rmSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { listedRuns, merged } from '../contract/run-list.ts'
import { layerReport, measurement, newFolder, newRun, historyIn, text } from './testing/open.ts'
import type { History } from './history.ts'
import { historyFile } from './place.ts'

let data = ''
let history: History
beforeEach(async () => {
  data = newFolder()
  history = await historyIn(data)
})
afterEach(() => {
  history.close()
  rmSync(data, { recursive: true })
})

const add = (name: string): number => history.runs.add({ ...newRun(), name })
const ids = (since: number | null) => listedRuns(history.runList.read(since)).map(({ id }) => id)

test('the list says of every run what the rows say', () => {
  const [one, two] = [add('a "quoted"\nname'), add('b')]
  history.metrics.put({ run: one }, 'packed', text, measurement(12.5))
  history.metrics.put({ run: one }, 'original', { ...text, source: 'my book.txt' }, measurement(null))
  for (const tag of ['paper', 'b', 'ä']) history.tags.add(one, tag)
  history.runs.note(two, 'line\nanother')
  history.runs.archive(two, true)
  history.layerReports.put(two, { ...layerReport('q'), relative_output_error: 0.25 })
  history.runs.end(two, 'failed', { code: 'disk_full', message: 'Full.', detail: 'x' })
  const rows = history.runs.list().map((run) => ({ ...run, metrics: history.metrics.ofRun(run.id) }))
  const listed = listedRuns(history.runList.read(null)).map((run) => {
    const { recipe, seconds, metrics } = run
    expect(run.calibration_source).toBe(recipe.calibration?.source ?? null)
    return { ...run, recipe, seconds, metrics, calibration_source: undefined }
  })
  // The stored recipe has no defaults left out: what was written is what is read.
  expect(listed).toEqual(rows)
  expect(rows[1]!.tags).toEqual(['b', 'paper', 'ä'])
  expect(rows[0]!).toMatchObject({ note: 'line\nanother', output_error: 0.25 })
  expect(rows[0]!.archived_at).toBeGreaterThan(0)
})

test('every kind of change is told once, and nothing else is', () => {
  const [one, two] = [add('one'), add('two')]
  let known = history.runList.read(null)
  const told = () => {
    const next = history.runList.read(known.revision)
    const what = { changed: listedRuns(next).map(({ id }) => id), gone: next.gone }
    known = next
    return what
  }
  const nothing = { changed: [], gone: [] }
  const changes: [string, () => unknown][] = [
    ['renamed', () => history.runs.rename(one, 'x')],
    ['noted', () => history.runs.note(one, 'x')],
    ['archived', () => history.runs.archive(one, true)],
    ['tagged', () => history.tags.add(one, 'x')],
    ['without the tag', () => history.tags.remove(one, 'x')],
    ['measured', () => history.metrics.put({ run: one }, 'packed', text, measurement(1))],
    ['measured again', () => history.metrics.put({ run: one }, 'packed', text, measurement(2))],
    ['a layer further', () => history.runs.advance(one, 1)],
    ['ended', () => history.runs.end(one, 'finished')],
  ]
  expect(told()).toEqual(nothing)
  for (const [what, change] of changes) {
    change()
    expect([what, told()]).toEqual([what, { changed: [one], gone: [] }])
    expect(told()).toEqual(nothing)
  }
  history.runs.hide(one)
  expect(told()).toEqual({ changed: [], gone: [one] })
  history.runs.unhide(one, null)
  expect(told()).toEqual({ changed: [one], gone: [] })
  history.runs.remove(two)
  expect(told()).toEqual({ changed: [], gone: [two] })
  const three = add('three')
  expect(told()).toEqual({ changed: [three], gone: [] })
  expect(history.models.list()).toEqual([])
})

test('lines that a Signum with other columns kept are made anew', () => {
  const one = add('one')
  expect(ids(null)).toEqual([one])
  history.close()
  const db = new Sqlite(historyFile(data))
  db.exec(`UPDATE run_lines SET head = '[[7],[]]'; UPDATE settings SET value = '"of old"' WHERE key = 'runLines'`)
  db.close()
  return historyIn(data).then((again) => {
    history = again
    expect(ids(null)).toEqual([one])
  })
})

test('a revision that this history never had brings the whole list', () => {
  const one = add('one')
  expect(history.runList.read(99).gone).toBeNull()
  expect(ids(99)).toEqual([one])
})

test('after any changes, what is merged is what a new window reads', () => {
  let known = merged([], history.runList.read(null))
  let revision = 0
  const all: number[] = []
  for (let step = 0; step < 60; step++) {
    const some = all[(step * 7) % Math.max(1, all.length)]
    if (step % 3 === 0 || some === undefined) all.push(add(`run ${step}`))
    else if (step % 5 === 0) history.runs.hide(some)
    else if (step % 7 === 0) history.runs.unhide(some, null)
    else if (step % 11 === 0) history.runs.remove(some)
    else if (history.runs.get(some)) history.tags.add(some, `t${step}`)
    if (step % 4 !== 0) continue
    const list = history.runList.read(revision)
    revision = list.revision
    known = merged(known, list)
    expect(known).toEqual(merged([], history.runList.read(null)))
  }
})
