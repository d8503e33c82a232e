// Folders on their way out. A row says what is meant before anything is renamed: while its run is there the deletion may
// still be undone, and once the run is gone the files must follow.
import { z } from 'zod'
import type { Connection } from './connection.ts'
import { all, bool } from './rows.ts'

const stored = z.object({ run_id: z.int(), folder: z.string(), trash: z.string(), undoable: bool })
export type Trash = z.infer<typeof stored>

export function trashQueries(db: Connection) {
  const add = db.prepare('INSERT OR REPLACE INTO trash (run_id, folder, trash) VALUES (@run, @folder, @trash)')
  const remove = db.prepare('DELETE FROM trash WHERE run_id = ?')
  const list = db.prepare(`
    SELECT run_id, folder, trash,
      EXISTS (SELECT 1 FROM runs WHERE runs.id = trash.run_id) AS undoable
    FROM trash ORDER BY run_id`)
  return {
    add: (run: number, folder: string, trash: string) => void add.run({ run, folder, trash }),
    remove: (run: number) => void remove.run(run),
    list: (): Trash[] => all(stored, list.all()),
  }
}
