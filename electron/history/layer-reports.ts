// What happened to each linear of a run.
import { layerReportSchema, type LayerReport } from '../contract/records.ts'
import type { Connection } from './connection.ts'
import { all } from './rows.ts'

export function layerReportQueries(db: Connection) {
  const names = Object.keys(layerReportSchema.shape)
  // A linear that is told twice counts as told last.
  const put = db.prepare(`
    INSERT INTO layer_reports (run_id, ${names.join(', ')}) VALUES (@run, ${names.map((name) => `@${name}`).join(', ')})
    ON CONFLICT (run_id, name) DO UPDATE SET ${names.map((name) => `${name} = excluded.${name}`).join(', ')}`)
  const ofRun = db.prepare(`SELECT ${names.join(', ')} FROM layer_reports WHERE run_id = ? ORDER BY layer, name`)
  return {
    put: (run: number, report: LayerReport) => void put.run({ run, ...layerReportSchema.parse(report) }),
    ofRun: (run: number): LayerReport[] => all(layerReportSchema, ofRun.all(run)),
  }
}
