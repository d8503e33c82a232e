// Measurements: of a run's original and packed model, of the one beside the other, or of a model that belongs to no run.
import { comparisonMetrics, type Comparison } from '../contract/evaluation.ts'
import { metricRowSchema, type MetricRow } from '../contract/history.ts'
import type { Measurement, Tokens } from '../contract/records.ts'
import type { Connection } from './connection.ts'
import type { Clock } from './owner.ts'
import { all } from './rows.ts'

export type Measured = { run: number } | { model: number }

export function metricQueries(db: Connection, clock: Clock) {
  // The same measured again takes the place of what was measured before.
  const put = db.prepare(`
    INSERT INTO metrics (run_id, model_id, subject, name, protocol, source, sha256, text_tokens, value, standard_error,
      tokens, windows, window, seconds, measured_at)
    VALUES (@run, @model, @subject, @name, @protocol, @source, @sha256, @textTokens, @value, @standard_error,
      @tokens, @windows, @window, @seconds, @now)
    ON CONFLICT (ifnull(run_id, 0), ifnull(model_id, 0), subject, name, protocol, sha256, window) DO UPDATE SET
      source = excluded.source, value = excluded.value, standard_error = excluded.standard_error,
      tokens = excluded.tokens, windows = excluded.windows, seconds = excluded.seconds,
      measured_at = excluded.measured_at`)
  const ofRun = db.prepare('SELECT * FROM metrics WHERE run_id = ? ORDER BY id')
  const ofModel = db.prepare('SELECT * FROM metrics WHERE model_id = ? ORDER BY id')
  const ofRuns = db.prepare(
    "SELECT * FROM metrics WHERE run_id IS NOT NULL AND name IN ('perplexity', 'kld', 'same_top') ORDER BY id",
  )
  const insert = (
    what: Measured,
    subject: MetricRow['subject'],
    { source, sha256, tokens: textTokens }: Tokens,
    measured: Measurement & { name: string },
  ): void => {
    const [run, model] = 'run' in what ? [what.run, null] : [null, what.model]
    put.run({ run, model, subject, source, sha256, textTokens, ...measured, now: clock.now() })
  }
  return {
    put(what: Measured, subject: MetricRow['subject'], text: Tokens, perplexity: Measurement): void {
      insert(what, subject, text, { ...perplexity, name: 'perplexity' })
    },
    /** Of a run's packed model beside its original; `packed`: the measurement that it came from. */
    putComparison(run: number, text: Tokens, packed: Measurement, comparison: Comparison): void {
      for (const one of comparisonMetrics(comparison)) insert({ run }, 'packed', text, { ...packed, ...one })
    },
    ofRun: (run: number) => all(metricRowSchema, ofRun.all(run)),
    ofModel: (model: number) => all(metricRowSchema, ofModel.all(model)),
    /** Of every run, for the list: perplexities, mean KLD and same top token. */
    ofRuns(): Map<number, MetricRow[]> {
      const byRun = new Map<number, MetricRow[]>()
      for (const row of all(metricRowSchema, ofRuns.all())) {
        byRun.set(row.run_id!, [...(byRun.get(row.run_id!) ?? []), row])
      }
      return byRun
    },
  }
}
