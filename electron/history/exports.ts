// What was written elsewhere from a run's packed model.
import { exportedFileSchema, verificationSchema } from '../contract/exports.ts'
import { exportRowSchema, type ExportRow } from '../contract/history.ts'
import type { Connection } from './connection.ts'
import type { Clock } from './owner.ts'
import { all, bool, json } from './rows.ts'

const stored = exportRowSchema.extend({
  verified: bool,
  files: json(exportedFileSchema.array()).nullable(),
  verification: json(verificationSchema).nullable(),
})

export function exportQueries(db: Connection, clock: Clock) {
  const replace = db.prepare('DELETE FROM exports WHERE path = ?')
  const add = db.prepare(`
    INSERT INTO exports (run_id, format, type, path, bytes, verified, files, verification, created_at)
    VALUES (@run_id, @format, @type, @path, @bytes, @verified, @files, @verification, @now) RETURNING id`)
  const ofRun = db.prepare('SELECT * FROM exports WHERE run_id = ? ORDER BY id')
  return {
    /** What stood at this path before is no more. */
    add(row: Omit<ExportRow, 'id' | 'created_at'>): number {
      replace.run(row.path)
      const { verified, files, verification } = row
      const texts = {
        files: files && JSON.stringify(files),
        verification: verification && JSON.stringify(verification),
      }
      return (add.get({ ...row, ...texts, verified: Number(verified), now: clock.now() }) as { id: number }).id
    },
    ofRun: (run: number): ExportRow[] => all(stored, ofRun.all(run)),
  }
}
