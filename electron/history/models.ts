// Models that were looked at, one row per folder.
import path from 'node:path'
import { modelRowSchema } from '../contract/history.ts'
import { modelSchema, type Model } from '../contract/records.ts'
import type { Connection } from './connection.ts'
import type { Clock } from './owner.ts'
import { all, bool, json, one } from './rows.ts'

const stored = modelRowSchema.extend({ packed: bool })
const description = json(modelSchema)

export function modelQueries(db: Connection, clock: Clock) {
  const columns = 'id, path, name, architecture, packed, parameters, layers, dtype, bytes, added_at, seen_at'
  const see = db.prepare(`
    INSERT INTO models (path, name, architecture, packed, parameters, layers, dtype, bytes, description, added_at, seen_at)
    VALUES (@path, @name, @architecture, @packed, @parameters, @layers, @dtype, @bytes, @description, @now, @now)
    ON CONFLICT (path) DO UPDATE SET architecture = excluded.architecture, packed = excluded.packed,
      parameters = excluded.parameters, layers = excluded.layers, dtype = excluded.dtype, bytes = excluded.bytes,
      description = excluded.description, seen_at = excluded.seen_at
    RETURNING id`)
  const get = db.prepare(`SELECT ${columns} FROM models WHERE id = ?`)
  const list = db.prepare(`SELECT ${columns} FROM models ORDER BY seen_at DESC, id DESC`)
  const describe = db.prepare('SELECT description FROM models WHERE id = ?').pluck()
  const remove = db.prepare('DELETE FROM models WHERE id = ?')
  return {
    /** The row of the model's folder, made or brought up to date. */
    see(model: Model): number {
      const { path: folder, architecture, packed, parameters, layers, dtype, bytes } = model
      const row = see.get({
        path: folder,
        name: path.basename(folder),
        architecture,
        packed: Number(packed),
        parameters,
        layers,
        dtype,
        bytes,
        description: JSON.stringify(model),
        now: clock.now(),
      })
      return (row as { id: number }).id
    },
    get: (id: number) => one(stored, get.get(id)),
    /** Seen last comes first. */
    list: () => all(stored, list.all()),
    /** All that `inspect` said, with every linear. */
    description: (id: number) => one(description, describe.get(id)),
    /** Takes it off the list; its runs stay. */
    remove: (id: number) => remove.run(id).changes > 0,
  }
}
