// Training runs: their phases in order, and the loss at each step.
import { phaseRowSchema, stepRowSchema, type PhaseRow, type StepRow } from '../contract/history.ts'
import type { Connection } from './connection.ts'
import type { Clock } from './owner.ts'
import { all } from './rows.ts'

export function phaseQueries(db: Connection, clock: Clock) {
  const add = db.prepare(`
    INSERT INTO phases (run_id, position, name, steps) VALUES (@run_id, @position, @name, @steps) RETURNING id`)
  const begin = db.prepare('UPDATE phases SET started_at = ?, finished_at = NULL WHERE id = ?')
  const finish = db.prepare('UPDATE phases SET finished_at = ? WHERE id = ?')
  const ofRun = db.prepare('SELECT * FROM phases WHERE run_id = ? ORDER BY position')
  // A resumed run may repeat its last steps.
  const putStep = db.prepare(`
    INSERT OR REPLACE INTO steps (phase_id, step, loss, learning_rate, seconds)
    VALUES (@phase, @step, @loss, @learning_rate, @seconds)`)
  const steps = db.prepare('SELECT step, loss, learning_rate, seconds FROM steps WHERE phase_id = ? ORDER BY step')
  return {
    add: (row: Pick<PhaseRow, 'run_id' | 'position' | 'name' | 'steps'>): number => (add.get(row) as { id: number }).id,
    begin: (id: number) => void begin.run(clock.now(), id),
    finish: (id: number) => void finish.run(clock.now(), id),
    ofRun: (run: number): PhaseRow[] => all(phaseRowSchema, ofRun.all(run)),
    putStep: (phase: number, step: StepRow) => void putStep.run({ phase, ...step }),
    steps: (phase: number): StepRow[] => all(stepRowSchema, steps.all(phase)),
  }
}
