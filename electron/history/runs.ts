// Runs: what was asked for, how far it is, how it ended.
import { z } from 'zod'
import { runRowSchema, type RunRow, type RunStatus } from '../contract/history.ts'
import type { Problem } from '../contract/errors.ts'
import type { Recipe } from '../contract/recipe.ts'
import type { RunReport } from '../contract/records.ts'
import type { Connection } from './connection.ts'
import type { Clock } from './owner.ts'
import { all, json, one } from './rows.ts'

const stored = runRowSchema.extend({
  recipe: json(runRowSchema.shape.recipe),
  seconds: json(z.record(z.string(), z.number())).nullable(),
  tags: json(z.array(z.string())),
})
/** Kept beside the run: summing up all linears of ten thousand runs would take seconds. */
const meanError = `(
  SELECT sum(relative_output_error * rows * columns) / sum(rows * columns) FROM layer_reports
  WHERE run_id = @id AND relative_output_error IS NOT NULL)`
const deletedSchema = z.object({ id: z.int(), deleted_at: z.int() })

/** Runs that somebody deleted a moment ago are there for nobody but the deletion itself. */
const select = `SELECT *, (SELECT json_group_array(tag) FROM tags WHERE run_id = runs.id) AS tags
  FROM runs WHERE deleted_at IS NULL`

export type NewRun = {
  name: string
  recipe: Recipe
  folder: string | null
  device: string
  precision?: string | null
}

export function runQueries(db: Connection, clock: Clock) {
  const add = db.prepare(`
    INSERT INTO runs (name, method, recipe, folder, device, precision, status, created_at)
    VALUES (@name, @method, @recipe, @folder, @device, @precision, 'queued', @now) RETURNING id`)
  const get = db.prepare(`${select} AND id = ?`)
  const inFolder = db.prepare(`${select} AND folder = ?`)
  const list = db.prepare(`${select} ORDER BY id DESC`)
  const place = db.prepare('UPDATE runs SET folder = @folder WHERE id = @id')
  const rename = db.prepare('UPDATE runs SET name = @name WHERE id = @id')
  const begin = db.prepare(`
    UPDATE runs SET status = 'running', model_id = @model, recipe = @recipe, method = @method, layers = @layers,
      started_at = @now, finished_at = NULL, error_code = NULL, error_message = NULL, error_detail = NULL
    WHERE id = @id`)
  const note = db.prepare('UPDATE runs SET note = @note WHERE id = @id AND deleted_at IS NULL')
  const archive = db.prepare('UPDATE runs SET archived_at = @at WHERE id = @id AND deleted_at IS NULL')
  const hide = db.prepare('UPDATE runs SET deleted_at = @now, folder = NULL WHERE id = @id')
  const show = db.prepare('UPDATE runs SET deleted_at = NULL, folder = @folder WHERE id = @id')
  const deleted = db.prepare('SELECT id, deleted_at FROM runs WHERE deleted_at IS NOT NULL ORDER BY id')
  const advance = db.prepare(`UPDATE runs SET finished_layers = @finished, output_error = ${meanError} WHERE id = @id`)
  const end = db.prepare(`
    UPDATE runs SET status = @status, finished_at = @now, error_code = @code, error_message = @message,
      error_detail = @detail, output_error = ${meanError} WHERE id = @id`)
  const compute = db.prepare(`
    UPDATE runs SET device = @id, device_name = @name, precision = @precision, device_peak_bytes = NULL WHERE id = @run`)
  const peak = db.prepare(`
    UPDATE runs SET device_peak_bytes = max(ifnull(device_peak_bytes, 0), @bytes) WHERE id = @run`)
  const queue = db.prepare("UPDATE runs SET status = 'queued', finished_at = NULL WHERE id = ?")
  const wish = db.prepare('UPDATE runs SET device = @device, device_name = NULL WHERE id = @run AND device <> @device')
  const finish = db.prepare(`
    UPDATE runs SET nominal_bits = @nominal, linear_bits = @linear, file_bits = @file, file_bytes = @fileBytes,
      linear_bytes = @linearBytes, peak_resident_bytes = @peak, seconds = @seconds, program = @program,
      finished_layers = layers WHERE id = @id`)
  const goOn = db.prepare("UPDATE runs SET status = 'running', finished_at = NULL WHERE id = ?")
  const remove = db.prepare('DELETE FROM runs WHERE id = ?')
  return {
    /** A run that waits: its id. */
    add({ name, recipe, folder, device, precision = null }: NewRun): number {
      const { method } = recipe
      const row = add.get({ name, method, recipe: JSON.stringify(recipe), folder, device, precision, now: clock.now() })
      return (row as { id: number }).id
    },
    get: (id: number): RunRow | null => one(stored, get.get(id)),
    inFolder: (folder: string): RunRow | null => one(stored, inFolder.get(folder)),
    /** Newest first. */
    list: (): RunRow[] => all(stored, list.all()),
    /** Null: its files are gone, and the folder may belong to another run. */
    place: (id: number, folder: string | null) => void place.run({ id, folder }),
    rename: (id: number, name: string) => rename.run({ id, name }).changes > 0,
    note: (id: number, text: string) => note.run({ id, note: text }).changes > 0,
    archive: (id: number, yes: boolean) => archive.run({ id, at: yes ? clock.now() : null }).changes > 0,
    /** Deleted, until the time in which that can be undone is over. It lets go of its folder. */
    hide: (id: number) => void hide.run({ id, now: clock.now() }),
    /** Not deleted after all. */
    unhide: (id: number, folder: string | null) => void show.run({ id, folder }),
    /** Deleted runs, and since when. */
    hidden: () => all(deletedSchema, deleted.all()),
    begin(id: number, model: number | null, layers: number, recipe: Recipe): void {
      begin.run({ id, model, layers, method: recipe.method, recipe: JSON.stringify(recipe), now: clock.now() })
    },
    /** What it computes on from now on; a name and a precision for a card. */
    computeOn: (run: number, on: { id: string; name: string | null; precision: string | null }) =>
      void compute.run({ run, ...on }),
    /** Of the card's memory. */
    usedOfCard: (run: number, bytes: number) => void peak.run({ run, bytes }),
    advance: (id: number, finished: number) => void advance.run({ id, finished }),
    /** Of a run that was taken for interrupted. */
    goOn: (id: number) => void goOn.run(id),
    queue: (id: number) => void queue.run(id),
    /** What it is to go on with. */
    wishDevice: (run: number, device: string) => void wish.run({ run, device }),
    end(id: number, status: RunStatus, problem: Problem | null = null, now = clock.now()): void {
      const { code, message, detail } = problem ?? { code: null, message: null }
      end.run({ id, status, now, code, message, detail: detail ?? null })
    },
    /** What came out of a run that finished. */
    finish(id: number, { bits, sizes, seconds, program, peak_resident_bytes: peak }: RunReport): void {
      finish.run({
        id,
        ...bits,
        fileBytes: sizes.file_bytes,
        linearBytes: sizes.linear_bytes,
        peak,
        seconds: JSON.stringify(seconds),
        program,
      })
      this.end(id, 'finished')
    },
    /** With everything that refers to it. */
    remove: (id: number) => remove.run(id).changes > 0,
  }
}
