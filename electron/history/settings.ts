// Settings, by key. A value that no longer fits its schema counts as not set.
import type { z } from 'zod'
import type { Connection } from './connection.ts'
import type { Clock } from './owner.ts'

export function settingQueries(db: Connection, clock: Clock) {
  const get = db.prepare('SELECT value FROM settings WHERE key = ?').pluck()
  const set = db.prepare(`
    INSERT INTO settings (key, value, changed_at) VALUES (@key, @value, @now)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at`)
  const remove = db.prepare('DELETE FROM settings WHERE key = ?')
  return {
    get<S extends z.ZodType>(key: string, schema: S): z.infer<S> | null {
      const text = get.get(key)
      const parsed = typeof text === 'string' ? schema.safeParse(JSON.parse(text)) : null
      return parsed?.success ? parsed.data : null
    },
    set: (key: string, value: unknown) => void set.run({ key, value: JSON.stringify(value), now: clock.now() }),
    remove: (key: string) => void remove.run(key),
  }
}
