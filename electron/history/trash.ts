// Folders on their way out. A row says what is meant before anything is renamed: while its run is there and not deleted, the
// files belong back; while the run is deleted, a person may still undo it; once the run is gone the files must follow.
import { z } from 'zod'
import type { Connection } from './connection.ts'
import { all, one } from './rows.ts'

const stored = z.object({
  run_id: z.int(),
  folder: z.string(),
  trash: z.string(),
  state: z.enum(['there', 'deleted', 'gone']),
})
export type Trash = z.infer<typeof stored>

export function trashQueries(db: Connection) {
  const add = db.prepare('INSERT OR REPLACE INTO trash (run_id, folder, trash) VALUES (@run, @folder, @trash)')
  const remove = db.prepare('DELETE FROM trash WHERE run_id = ?')
  const select = `
    SELECT run_id, trash.folder, trash,
      CASE WHEN runs.id IS NULL THEN 'gone' WHEN deleted_at IS NULL THEN 'there' ELSE 'deleted' END AS state
    FROM trash LEFT JOIN runs ON runs.id = run_id`
  const list = db.prepare(`${select} ORDER BY run_id`)
  const ofRun = db.prepare(`${select} WHERE run_id = ?`)
  return {
    add: (run: number, folder: string, trash: string) => void add.run({ run, folder, trash }),
    remove: (run: number) => void remove.run(run),
    list: (): Trash[] => all(stored, list.all()),
    ofRun: (run: number): Trash | null => one(stored, ofRun.get(run)),
  }
}
