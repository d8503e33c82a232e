// A connection to the history's file, set up so that what was committed survives.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type BetterSqlite3 from 'better-sqlite3'
import { failure, success, type Result } from '../contract/errors.ts'

export type Connection = BetterSqlite3.Database

const busyTimeout = 5000

/** The library, where its native part can be loaded: into an older Node-API it would crash the process. */
export async function loadSqlite(napi = process.versions['napi']): Promise<Result<typeof BetterSqlite3>> {
  if (Number(napi) < 10 && !hasStandIn()) {
    return failure(
      'history_unavailable',
      `The history's database needs Node-API 10 (Node 22.14 or Electron 35), and this has ${napi}: run \`npm run setup -- window\`.`,
    )
  }
  try {
    return success((await import('better-sqlite3')).default)
  } catch (error) {
    return failure(
      'history_unavailable',
      "The history's database cannot be loaded: run `npm run setup`.",
      String(error),
    )
  }
}

/** Built by scripts/better-sqlite3-stand-in; the library looks there before it takes what it came with. */
function hasStandIn(): boolean {
  const entry = createRequire(import.meta.url).resolve('better-sqlite3')
  return existsSync(path.join(path.dirname(entry), '..', 'build', 'Release', 'better_sqlite3.node'))
}

/** Throws what SQLite throws. */
export async function connect(Sqlite: typeof BetterSqlite3, file: string): Promise<Connection> {
  const connection = new Sqlite(file, { timeout: busyTimeout })
  try {
    await useWriteAheadLog(connection)
    // A commit is on the disk when it returns: runs that are over must still be over after a power cut.
    connection.pragma('synchronous = FULL')
    connection.pragma('foreign_keys = ON')
    return connection
  } catch (error) {
    connection.close()
    throw error
  }
}

/** The change to WAL wants the file alone for a moment, and SQLite does not wait for that by itself. */
async function useWriteAheadLog(connection: Connection): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      connection.pragma('journal_mode = WAL')
      return
    } catch (error) {
      if (attempt >= 50 || !(error as { code?: string }).code?.startsWith('SQLITE_BUSY')) throw error
      await pause(20)
    }
  }
}
