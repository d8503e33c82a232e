// What was written elsewhere from a run's packed model.
import { exportRowSchema, type ExportRow } from '../contract/history.ts'
import type { Connection } from './connection.ts'
import type { Clock } from './owner.ts'
import { all, bool } from './rows.ts'

const stored = exportRowSchema.extend({ verified: bool })

export function exportQueries(db: Connection, clock: Clock) {
  const add = db.prepare(`
    INSERT INTO exports (run_id, format, path, bytes, verified, created_at)
    VALUES (@run_id, @format, @path, @bytes, @verified, @now) RETURNING id`)
  const verify = db.prepare('UPDATE exports SET verified = 1 WHERE id = ?')
  const ofRun = db.prepare('SELECT * FROM exports WHERE run_id = ? ORDER BY id')
  return {
    add(row: Omit<ExportRow, 'id' | 'created_at'>): number {
      return (add.get({ ...row, verified: Number(row.verified), now: clock.now() }) as { id: number }).id
    },
    verify: (id: number) => void verify.run(id),
    ofRun: (run: number): ExportRow[] => all(stored, ofRun.all(run)),
  }
}
