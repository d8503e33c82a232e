// The list of runs for the window: all of it once, then what changed (contract/run-list.ts). The rows are not parsed here:
// the schema's STRICT tables hold their types, and JSON columns go on as the texts that they are.
import { headColumns, metricColumns, textColumns, type RunList } from '../contract/run-list.ts'
import type { Connection } from './connection.ts'

type Scalar = string | number | null
const listedMetrics = "name IN ('perplexity', 'kld', 'same_top')"

export function runListQueries(db: Connection) {
  const changed = 'id IN (SELECT run_id FROM run_changes WHERE revision > @since)'
  const head = (where: string) =>
    db
      .prepare<{ since?: number }, [string, string | null, string, ...Scalar[]]>(
        `SELECT recipe, seconds, (SELECT json_group_array(tag) FROM tags WHERE run_id = runs.id), ${headColumns.join(', ')}
        FROM runs WHERE deleted_at IS NULL AND ${where} ORDER BY id DESC`,
      )
      .raw()
  const heads = { all: head('true'), changed: head(changed) }
  const metric = (where: string) =>
    db
      .prepare<{ since?: number }, [number, string, string, string, number, number, ...Scalar[]]>(
        `SELECT run_id, ${textColumns.join(', ')}, ${metricColumns.join(', ')}
        FROM metrics WHERE run_id IS NOT NULL AND ${listedMetrics} AND ${where} ORDER BY id`,
      )
      .raw()
  const metrics = { all: metric('true'), changed: metric(changed.replace(/^id/, 'run_id')) }
  const revision = db.prepare<[], number>('SELECT ifnull(max(revision), 0) FROM run_changes').pluck()
  const gone = db
    .prepare<{ since: number }, number>(
      `SELECT run_id FROM run_changes WHERE revision > @since
        AND NOT EXISTS (SELECT 1 FROM runs WHERE id = run_id AND deleted_at IS NULL)`,
    )
    .pluck()
  return {
    /** Everything, or what changed after a revision; to be called in one transaction. */
    read(since: number | null): RunList {
      const now = revision.get()!
      // A history that was replaced by an older one: what the window knows is of another.
      const whole = since === null || since > now
      const which = whole ? 'all' : 'changed'
      const bind = whole ? {} : { since }
      const texts = new Map<string, number>()
      const lines = new Map<number, string>()
      for (const [run, protocol, source, sha256, tokens, window, ...values] of metrics[which].iterate(bind)) {
        const text = JSON.stringify([protocol, source, sha256, tokens, window])
        const at = texts.get(text) ?? texts.size
        texts.set(text, at)
        const before = lines.get(run)
        lines.set(run, `${before === undefined ? '' : `${before},`}[${at},${JSON.stringify(values).slice(1)}`)
      }
      const found = heads[which].all(bind)
      const line = (text: string) => text.replaceAll('\n', ' ')
      return {
        revision: now,
        heads: `[${found.map(([, , tags, ...values]) => `[${JSON.stringify(values)},${tags}]`).join(',')}]`,
        recipes: found.map(([recipe, seconds]) => line(`[${recipe},${seconds ?? 'null'}]`)).join('\n'),
        metrics: found.map(([, , , id]) => (lines.has(id as number) ? `[${lines.get(id as number)}]` : '')).join('\n'),
        texts: `[${[...texts.keys()].join(',')}]`,
        gone: whole ? null : gone.all({ since }),
      }
    },
  }
}
