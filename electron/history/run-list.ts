// The list of runs for the window: all of it once, then what changed (contract/run-list.ts). A run's line is made when it is
// first asked for after a change, and kept: reading ten thousand kept lines takes what a few hundred made ones would. The rows
// are not parsed here: STRICT tables hold their types, and JSON columns go on as the texts that they are.
import { headColumns, metricColumns, textColumns, type RunList } from '../contract/run-list.ts'
import type { Connection } from './connection.ts'

type Scalar = string | number | null
const column = (name: string) =>
  name === 'calibration_source' ? "recipe ->> '$.calibration.source' AS calibration_source" : name

export function runListQueries(db: Connection) {
  const revision = db.prepare<[], number>('SELECT ifnull(max(revision), 0) FROM run_changes').pluck()
  const stale = db
    .prepare<[], number>(
      `SELECT run_id FROM run_changes JOIN runs ON id = run_id
      WHERE revision > (SELECT ifnull(max(revision), 0) FROM run_lines)`,
    )
    .pluck()
  const head = db
    .prepare<[number], [string, ...Scalar[]]>(
      `SELECT (SELECT json_group_array(tag) FROM tags WHERE run_id = runs.id), ${headColumns.map(column).join(', ')}
      FROM runs WHERE id = ?`,
    )
    .raw()
  const metrics = db
    .prepare<[number], [string, string, string, number, number, ...Scalar[]]>(
      `SELECT ${textColumns.join(', ')}, ${metricColumns.join(', ')} FROM metrics
      WHERE run_id = ? AND name IN ('perplexity', 'kld', 'same_top') ORDER BY id`,
    )
    .raw()
  const keep = db.prepare(`
    INSERT INTO run_lines (run_id, revision, head, metrics) VALUES (@run, @revision, @head, @metrics)
    ON CONFLICT (run_id) DO UPDATE SET revision = excluded.revision, head = excluded.head, metrics = excluded.metrics`)
  const select = (where: string) =>
    db
      .prepare<{ since?: number }, [string, string, string, string | null]>(
        `SELECT head, metrics, recipe, seconds FROM runs JOIN run_lines ON run_id = id
        WHERE deleted_at IS NULL AND ${where} ORDER BY id DESC`,
      )
      .raw()
  const every = select('true')
  const changed = select('id IN (SELECT run_id FROM run_changes WHERE revision > @since)')
  const gone = db
    .prepare<{ since: number }, number>(
      `SELECT run_id FROM run_changes WHERE revision > @since
        AND NOT EXISTS (SELECT 1 FROM runs WHERE id = run_id AND deleted_at IS NULL)`,
    )
    .pluck()

  const format = JSON.stringify([headColumns, textColumns, metricColumns])
  const kept = db.prepare<[], string>("SELECT value FROM settings WHERE key = 'runLines'").pluck()
  const sign = db.prepare<[string]>(
    "INSERT OR REPLACE INTO settings (key, value, changed_at) VALUES ('runLines', ?, 0)",
  )
  const forget = db.prepare('DELETE FROM run_lines')
  /** Lines of a Signum with other columns say other things. */
  function checkFormat(): void {
    if (kept.get() === format) return
    forget.run()
    sign.run(format)
  }

  function refresh(now: number): void {
    checkFormat()
    for (const run of stale.all()) {
      const [tags, ...values] = head.get(run)!
      const texts = new Map<string, string>()
      for (const [protocol, source, sha256, tokens, window, ...metric] of metrics.iterate(run)) {
        const text = JSON.stringify([protocol, source, sha256, tokens, window]).slice(0, -1)
        texts.set(text, `${texts.get(text) ?? text},${JSON.stringify(metric)}`)
      }
      const lines = [...texts.values()].map((line) => `${line}]`).join(',')
      keep.run({ run, revision: now, head: `[${JSON.stringify(values)},${tags}]`, metrics: `[${lines}]` })
    }
  }

  return {
    /** Everything, or what changed after a revision; to be called inside a transaction that writes. */
    read(since: number | null): RunList {
      const now = revision.get()!
      refresh(now)
      // A history that was replaced by an older one: what the window knows is of another.
      const whole = since === null || since > now
      const found = whole ? every.all({}) : changed.all({ since })
      return {
        revision: now,
        heads: `[${found.map(([head]) => head).join(',')}]`,
        // A line must stay one: JSON that was written elsewhere may have line breaks between its words.
        recipes: found
          .map(([, , recipe, seconds]) => `[${recipe},${seconds ?? 'null'}]`.replaceAll('\n', ' '))
          .join('\n'),
        metrics: found.map(([, metrics]) => metrics).join('\n'),
        gone: whole ? null : gone.all({ since }),
      }
    },
  }
}
