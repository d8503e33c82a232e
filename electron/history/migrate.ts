// From the schema that a history has to the one that this program writes: all of it or nothing, after a copy was made.
import { renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import type BetterSqlite3 from 'better-sqlite3'
import { failure, success, type Result } from '../contract/errors.ts'
import type { Connection } from './connection.ts'
import { migrations, type Migration } from './migrations.ts'

export const versionOf = (connection: Connection): number => Number(connection.pragma('user_version', { simple: true }))

/** Where the history of a version is kept when it is changed. */
export const copyOf = (file: string, version: number): string =>
  path.join(path.dirname(file), `${path.basename(file, '.db')}-version-${version}.db`)

export async function migrate(
  Sqlite: typeof BetterSqlite3,
  connection: Connection,
  file: string,
  steps: readonly Migration[] = migrations,
): Promise<Result<null>> {
  let from = versionOf(connection)
  if (from === steps.length) return success(null)
  if (from > steps.length) return tooNew(from, steps.length)
  let copy: string | null = null
  // Tables that are made anew break references for a moment; they are checked at the end instead.
  connection.pragma('foreign_keys = OFF')
  try {
    // From here on nobody else writes, so that the copy is what a failure goes back to.
    connection.exec('BEGIN IMMEDIATE')
    from = versionOf(connection)
    if (from === 0 && tables(connection) > 0) throw new Error('its tables are not those of a history')
    if (from > 0 && from < steps.length) copy = makeCopy(Sqlite, file, from)
    for (const { sql } of steps.slice(from)) connection.exec(sql)
    const broken = connection.pragma('foreign_key_check') as unknown[]
    if (broken.length > 0) throw new Error(`${broken.length} rows refer to what is not there`)
    connection.pragma(`user_version = ${Math.max(from, steps.length)}`)
    connection.exec('COMMIT')
  } catch (error) {
    return await goBack(Sqlite, connection, file, copy, { from, to: steps.length, error })
  } finally {
    connection.pragma('foreign_keys = ON')
  }
  return from > steps.length ? tooNew(from, steps.length) : success(null)
}

const tables = (connection: Connection): number =>
  Number(connection.prepare("SELECT count(*) FROM sqlite_schema WHERE type = 'table'").pluck().get())

function makeCopy(Sqlite: typeof BetterSqlite3, file: string, version: number): string {
  const copy = copyOf(file, version)
  const part = `${copy}.part`
  rmSync(part, { force: true })
  // Another connection: this one is inside a transaction, where VACUUM is not allowed.
  const reader = new Sqlite(file, { readonly: true })
  try {
    reader.prepare('VACUUM INTO ?').run(part)
  } finally {
    reader.close()
  }
  renameSync(part, copy)
  return copy
}

type Failed = { from: number; to: number; error: unknown }

/** A transaction that is still open is rolled back, and nothing happened. One that ended by itself may have left half a change. */
async function goBack(
  Sqlite: typeof BetterSqlite3,
  connection: Connection,
  file: string,
  copy: string | null,
  { from, to, error }: Failed,
): Promise<Result<never>> {
  const why = `The history ${file} cannot be brought from version ${from} to ${to}`
  try {
    if (connection.inTransaction) connection.exec('ROLLBACK')
    else if (copy !== null) await restore(Sqlite, copy, file)
    return failure('history_unavailable', `${why}; it was left as it is.`, String(error))
  } catch (second) {
    const kept = copy === null ? '' : `; what it held is in ${copy}`
    return failure('history_unavailable', `${why}${kept}.`, `${String(error)}\n${String(second)}`)
  }
}

/** Through SQLite, page by page: whoever else has the file open sees the old content or the restored one. */
async function restore(Sqlite: typeof BetterSqlite3, copy: string, file: string): Promise<void> {
  const source = new Sqlite(copy, { readonly: true })
  try {
    await source.backup(file)
  } finally {
    source.close()
  }
}

const tooNew = (from: number, known: number) =>
  failure(
    'history_newer',
    `The history was written by a newer Signum (version ${from}, and this one knows ${known}): use that one, or another --data folder.`,
  )
