// From every earlier version to this one, and back where a migration fails.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { listedRuns } from '../contract/run-list.ts'
import { connect, loadSqlite, type Connection } from './connection.ts'
import { openHistory } from './history.ts'
import { copyOf, migrate, versionOf } from './migrate.ts'
import { migrations } from './migrations.ts'
import { historyFile } from './place.ts'
import { historyIn, newFolder, newRun } from './testing/open.ts'

let data = ''
let file = ''
beforeEach(() => {
  data = newFolder()
  file = historyFile(data)
})
afterEach(() => rmSync(data, { recursive: true }))

async function historyOf(version: number): Promise<Connection> {
  const db = await connect(Sqlite, file)
  expect(await migrate(Sqlite, db, file, migrations.slice(0, version))).toEqual({ ok: true, value: null })
  db.exec(`INSERT INTO runs (name, method, recipe, folder, device, status, created_at)
    VALUES ('old', 'rtn', '{"signum_recipe":1,"method":"rtn"}', '/runs/old', 'cpu', 'finished', 1)`)
  return db
}
const schema = (db: Connection) =>
  db.prepare("SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name").all()
const names = (db: Connection) => db.prepare('SELECT name FROM runs ORDER BY id').pluck().all()

describe('forwards', () => {
  test.each(migrations.slice(0, -1).map((_, i) => i + 1))('from version %i, after a copy', async (version) => {
    const old = await historyOf(version)
    const before = schema(old)
    old.close()
    const history = await historyIn(data)
    expect(history.runs.list()).toMatchObject([{ name: 'old', folder: '/runs/old', recipe: { parameters: {} } }])
    const added = history.runs.add(newRun())
    expect(history.leases.acquire(added, 'cpu').ok).toBe(true)
    history.phases.add({ run_id: added, position: 0, name: 'p', steps: 1 })
    history.close()

    const now = new Sqlite(file)
    expect(versionOf(now)).toBe(migrations.length)
    expect(now.pragma('integrity_check', { simple: true })).toBe('ok')
    const fresh = new Sqlite(':memory:')
    for (const { sql } of migrations) fresh.exec(sql)
    expect(schema(now)).toEqual(schema(fresh))
    const copy = new Sqlite(copyOf(file, version), { readonly: true })
    expect([versionOf(copy), names(copy), schema(copy)]).toEqual([version, ['old'], before])
    for (const db of [now, fresh, copy]) db.close()
  })

  test('to tags and archived runs: mean output errors are summed up once, and what changes afterwards is told', async () => {
    const before = migrations.findIndex(({ title }) => title.startsWith('tags'))
    const old = await historyOf(before)
    const put = old.prepare(`INSERT INTO layer_reports (run_id, name, layer, kind, rows, columns, nominal_bits,
      linear_bits, bytes, relative_output_error) VALUES (1, ?, 0, 'q_proj', ?, 4, 1, 1, 1, ?)`)
    put.run('a', 1, 0.1)
    put.run('b', 3, 0.5)
    put.run('c', 9, null)
    old.close()
    const history = await historyIn(data)
    const [run] = history.runs.list()
    expect(run).toMatchObject({ note: '', tags: [], archived_at: null })
    expect(run!.output_error).toBeCloseTo(0.4, 12)
    const { revision } = history.runList.read(null)
    history.tags.add(run!.id, 'old')
    expect(listedRuns(history.runList.read(revision)).map(({ tags }) => tags)).toEqual([['old']])
    history.close()
  })

  test('a new history needs no copy, and is set up to keep what is committed', async () => {
    const history = await historyIn(data)
    const db = await connect(Sqlite, file)
    expect(readdirSync(data).filter((name) => /version/.test(name))).toEqual([])
    const pragmas = ['journal_mode', 'synchronous', 'foreign_keys', 'busy_timeout']
    expect(pragmas.map((name) => db.pragma(name, { simple: true }))).toEqual(['wal', 2, 1, 5000])
    db.close()
    history.close()
  })

  test('two programs that begin at once make one history', async () => {
    const both = await Promise.all([openHistory(data), openHistory(data)])
    expect(both.map(({ ok }) => ok)).toEqual([true, true])
    for (const one of both) if (one.ok) one.value.close()
  })
})

describe('a migration that fails', () => {
  const add = (sql: string) => [...migrations, { title: 'broken', sql }]

  test.each([
    ['in its middle', 'CREATE TABLE half (x); INSERT INTO runs (name) VALUES (1); SELECT nonsense'],
    ['by a reference to nothing', 'INSERT INTO queue (run_id, position, threads) VALUES (99, 1, 1)'],
    ['after it ended the transaction', 'DROP TABLE steps; DELETE FROM runs; COMMIT; SELECT nonsense'],
    ['after it took everything back', 'DELETE FROM runs; ROLLBACK; SELECT nonsense'],
  ])('%s leaves everything as it was', async (_, sql) => {
    const db = await historyOf(migrations.length)
    const before = schema(db)
    const done = await migrate(Sqlite, db, file, add(sql))
    expect(done).toMatchObject({ ok: false, problem: { code: 'history_unavailable' } })
    if (!done.ok) expect(done.problem.message).toContain('it was left as it is')
    db.close()
    const now = new Sqlite(file)
    expect([versionOf(now), names(now), schema(now)]).toEqual([migrations.length, ['old'], before])
    expect(now.pragma('integrity_check', { simple: true })).toBe('ok')
    now.close()
    const history = await historyIn(data)
    expect(history.runs.list()).toHaveLength(1)
    history.close()
  })
})

describe('not opened, and not touched', () => {
  test('a history of a newer program', async () => {
    const db = await historyOf(migrations.length)
    db.pragma(`user_version = ${migrations.length + 1}`)
    db.close()
    expect(await openHistory(data)).toMatchObject({ ok: false, problem: { code: 'history_newer' } })
  })

  test('a file that is no database, or another one', async () => {
    writeFileSync(file, 'a letter to my grandmother, which is longer than a header of SQLite would be '.repeat(20))
    const letter = readFileSync(file)
    expect(await openHistory(data)).toMatchObject({
      ok: false,
      problem: { code: 'history_unavailable', message: expect.stringContaining('it is not a database') as string },
    })
    expect(readFileSync(file)).toEqual(letter)
    rmSync(file)
    const other = new Sqlite(file)
    other.exec('CREATE TABLE recipes_for_cake (x)')
    other.close()
    expect(await openHistory(data)).toMatchObject({ ok: false, problem: { code: 'history_unavailable' } })
    const still = new Sqlite(file)
    expect(schema(still)).toHaveLength(1)
    still.close()
  })

  test('a folder that cannot be made', async () => {
    writeFileSync(`${data}/file`, '')
    expect(await openHistory(`${data}/file/below`)).toMatchObject({
      problem: { message: expect.stringContaining('a file is where the folder should be') as string },
    })
  })

  test('under a Node-API that the library would crash', async () => {
    const built = existsSync('node_modules/better-sqlite3/build/Release/better_sqlite3.node')
    expect((await loadSqlite('9')).ok).toBe(built)
  })
})
