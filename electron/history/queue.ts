// Runs that wait for their device, in order. What begins leaves the queue in the same transaction.
import { z } from 'zod'
import type { Connection } from './connection.ts'
import { all } from './rows.ts'

const entry = z.object({
  run_id: z.int(),
  threads: z.int(),
  /** It may go on on another device than it was on. */
  elsewhere: z.int().transform((stored) => stored === 1),
})

export function queueQueries(db: Connection) {
  const append = db.prepare(`
    INSERT INTO queue (run_id, position, threads, elsewhere)
    VALUES (@run, (SELECT ifnull(max(position), 0) + 1 FROM queue), @threads, @elsewhere)
    ON CONFLICT (run_id) DO NOTHING`)
  const remove = db.prepare('DELETE FROM queue WHERE run_id = ?')
  const list = db.prepare('SELECT run_id, threads, elsewhere FROM queue ORDER BY position, run_id')
  const move = db.prepare('UPDATE queue SET position = @position WHERE run_id = @run')
  return {
    append: (run: number, threads: number, elsewhere = false) =>
      void append.run({ run, threads, elsewhere: elsewhere ? 1 : 0 }),
    remove: (run: number) => remove.run(run).changes > 0,
    list: () => all(entry, list.all()),
    /** Before another run that waits, or to the end. False when one of them does not wait. */
    move(run: number, before: number | null): boolean {
      const ids = this.list().map(({ run_id }) => run_id)
      if (!ids.includes(run) || (before !== null && !ids.includes(before))) return false
      if (run === before) return true
      const others = ids.filter((id) => id !== run)
      others.splice(before === null ? others.length : others.indexOf(before), 0, run)
      for (const [position, id] of others.entries()) move.run({ run: id, position: position + 1 })
      return true
    },
  }
}
