// What happened to each linear of a run.
import { z } from 'zod'
import { layerReportSchema, type LayerReport } from '../contract/records.ts'
import type { Connection } from './connection.ts'
import { all } from './rows.ts'

const meanSchema = z.object({ run: z.int(), error: z.number() })

export function layerReportQueries(db: Connection) {
  const names = Object.keys(layerReportSchema.shape)
  // A linear that is told twice counts as told last.
  const put = db.prepare(`
    INSERT INTO layer_reports (run_id, ${names.join(', ')}) VALUES (@run, ${names.map((name) => `@${name}`).join(', ')})
    ON CONFLICT (run_id, name) DO UPDATE SET ${names.map((name) => `${name} = excluded.${name}`).join(', ')}`)
  const ofRun = db.prepare(`SELECT ${names.join(', ')} FROM layer_reports WHERE run_id = ? ORDER BY layer, name`)
  const outputErrors = db.prepare(`
    SELECT run_id AS run, sum(relative_output_error * rows * columns) / sum(rows * columns) AS error
    FROM layer_reports WHERE relative_output_error IS NOT NULL GROUP BY run_id`)
  return {
    put: (run: number, report: LayerReport) => void put.run({ run, ...layerReportSchema.parse(report) }),
    ofRun: (run: number): LayerReport[] => all(layerReportSchema, ofRun.all(run)),
    /** Every run's mean by weights; runs without any are left out. */
    outputErrors: () => all(meanSchema, outputErrors.all()),
  }
}
