// The history: one SQLite file with everything that should be found again tomorrow (docs/HISTORY.md).
import { mkdirSync } from 'node:fs'
import { failure, success, type Result } from '../contract/errors.ts'
import { connect, loadSqlite, type Connection } from './connection.ts'
import { exportQueries } from './exports.ts'
import { layerReportQueries } from './layer-reports.ts'
import { leaseQueries } from './leases.ts'
import { metricQueries } from './metrics.ts'
import { migrate } from './migrate.ts'
import { modelQueries } from './models.ts'
import { theseProcesses, thisClock, type Clock, type Processes } from './owner.ts'
import { phaseQueries } from './phases.ts'
import { historyFile } from './place.ts'
import { queueQueries } from './queue.ts'
import { runQueries } from './runs.ts'
import { settingQueries } from './settings.ts'
import { runListQueries } from './run-list.ts'
import { tagQueries } from './tags.ts'
import { trashQueries } from './trash.ts'

export type History = ReturnType<typeof assemble>

/** Tests bring their own. */
export type Surroundings = { clock: Clock; processes: Processes }

export async function openHistory(data: string, surroundings: Partial<Surroundings> = {}): Promise<Result<History>> {
  const Sqlite = await loadSqlite()
  if (!Sqlite.ok) return Sqlite
  const file = historyFile(data)
  let connection: Connection | null = null
  try {
    mkdirSync(data, { recursive: true, mode: 0o700 })
    connection = await connect(Sqlite.value, file)
    const migrated = await migrate(Sqlite.value, connection, file)
    if (migrated.ok) {
      const { clock = thisClock, processes = theseProcesses() } = surroundings
      return success(assemble(connection, data, clock, processes))
    }
    connection.close()
    return migrated
  } catch (error) {
    connection?.close()
    return unavailable(error, `The history ${file} cannot be opened`)
  }
}

function assemble(db: Connection, data: string, clock: Clock, processes: Processes) {
  const leases = leaseQueries(db, clock, processes)
  return {
    /** The data folder. */
    data,
    models: modelQueries(db, clock),
    runs: runQueries(db, clock),
    runList: runListQueries(db),
    tags: tagQueries(db),
    clock,
    layerReports: layerReportQueries(db),
    metrics: metricQueries(db, clock),
    exports: exportQueries(db, clock),
    settings: settingQueries(db, clock),
    phases: phaseQueries(db, clock),
    queue: queueQueries(db),
    trash: trashQueries(db),
    leases,
    /** All of it or nothing; nobody else writes meanwhile. What SQLite throws comes out as a failure. */
    write<T>(change: () => T): Result<T> {
      return attempt(() => db.transaction(change).immediate())
    },
    /** The same for a change that may be refused: then nothing was changed. */
    decide<T>(change: () => Result<T>): Result<T> {
      let refusal: Result<T> | null = null
      const done = attempt(() =>
        db
          .transaction(() => {
            const result = change()
            if (result.ok) return result.value
            refusal = result
            throw new Error('refused')
          })
          .immediate(),
      )
      return refusal ?? done
    },
    /** Reads that belong together: nothing changes between them. */
    read<T>(look: () => T): Result<T> {
      return attempt(() => db.transaction(look).deferred())
    },
    /** Ends leases of owners that are gone. */
    sweep(): Result<number[]> {
      return this.write(() => leases.sweep())
    },
    /** Changes when another connection has written something; null when that cannot be told. */
    version(): number | null {
      const version = attempt(() => db.pragma('data_version', { simple: true }))
      return version.ok && typeof version.value === 'number' ? version.value : null
    },
    close: () => void db.close(),
  }
}

export function attempt<T>(work: () => T): Result<T> {
  try {
    return success(work())
  } catch (error) {
    return unavailable(error, 'The history cannot be used')
  }
}

const unavailable = (error: unknown, what: string) => {
  const { code, message } = error as { code?: string; message?: string }
  return failure('history_unavailable', `${what}: ${reasons[code ?? ''] ?? message ?? String(error)}.`, String(error))
}

const reasons: Record<string, string> = {
  SQLITE_NOTADB: 'it is not a database; move it away to begin a new one',
  SQLITE_CORRUPT: 'it is damaged; move it away to begin a new one',
  SQLITE_FULL: 'the disk is full',
  SQLITE_BUSY: 'another process writes to it without end',
  SQLITE_READONLY: 'it may not be written to',
  SQLITE_CANTOPEN: 'the file cannot be opened',
  EACCES: 'the folder may not be written to',
  ENOTDIR: 'a file is where the folder should be',
  EEXIST: 'a file is where the folder should be',
}
