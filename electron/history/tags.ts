// The words that a person put on runs.
import type { Connection } from './connection.ts'

export function tagQueries(db: Connection) {
  const add = db.prepare('INSERT OR IGNORE INTO tags (run_id, tag) VALUES (@run, @tag)')
  const remove = db.prepare('DELETE FROM tags WHERE run_id = @run AND tag = @tag')
  return {
    add: (run: number, tag: string) => void add.run({ run, tag }),
    remove: (run: number, tag: string) => void remove.run({ run, tag }),
  }
}
