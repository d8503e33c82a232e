// The history's schema as it grew. A migration that was released is never changed; a new one is put below it.
// docs/HISTORY.md says what each table is for.

export type Migration = { title: string; sql: string }

/** The last change of every run. No OR REPLACE: inside a trigger the policy of the statement that fired it would win. */
const changeTriggers = (
  [
    ['run_added', 'INSERT ON runs', 'new.id'],
    ['run_changed', 'UPDATE ON runs', 'new.id'],
    ['run_removed', 'DELETE ON runs', 'old.id'],
    ['metric_added', 'INSERT ON metrics WHEN new.run_id IS NOT NULL', 'new.run_id'],
    ['metric_changed', 'UPDATE ON metrics WHEN new.run_id IS NOT NULL', 'new.run_id'],
    ['tag_added', 'INSERT ON tags', 'new.run_id'],
    ['tag_removed', 'DELETE ON tags', 'old.run_id'],
  ] as const
)
  .map(
    ([name, when, run]) => `CREATE TRIGGER ${name} AFTER ${when} BEGIN
        INSERT INTO run_changes SELECT ${run}, 0 WHERE NOT EXISTS (SELECT 1 FROM run_changes WHERE run_id = ${run});
        UPDATE run_changes SET revision = (SELECT max(revision) + 1 FROM run_changes) WHERE run_id = ${run};
      END;`,
  )
  .join('\n      ')

export const migrations: readonly Migration[] = [
  {
    title: 'models, runs, layer reports, metrics, exports, settings',
    sql: `
      CREATE TABLE models (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        path TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        architecture TEXT NOT NULL,
        packed INTEGER NOT NULL CHECK (packed IN (0, 1)),
        parameters INTEGER NOT NULL,
        layers INTEGER NOT NULL,
        dtype TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        description TEXT NOT NULL CHECK (json_valid(description)),
        added_at INTEGER NOT NULL,
        seen_at INTEGER NOT NULL
      ) STRICT;

      CREATE TABLE runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL,
        model_id INTEGER REFERENCES models (id) ON DELETE SET NULL,
        method TEXT NOT NULL,
        recipe TEXT NOT NULL CHECK (json_valid(recipe)),
        folder TEXT UNIQUE,
        device TEXT NOT NULL,
        status TEXT NOT NULL CHECK (
          status IN ('queued', 'running', 'stopped', 'interrupted', 'failed', 'finished', 'cancelled')
        ),
        created_at INTEGER NOT NULL,
        started_at INTEGER,
        finished_at INTEGER,
        layers INTEGER,
        finished_layers INTEGER NOT NULL DEFAULT 0,
        nominal_bits REAL,
        linear_bits REAL,
        file_bits REAL,
        file_bytes INTEGER,
        linear_bytes INTEGER,
        peak_resident_bytes INTEGER,
        seconds TEXT CHECK (json_valid(seconds)),
        program TEXT,
        error_code TEXT,
        error_message TEXT,
        error_detail TEXT
      ) STRICT;
      CREATE INDEX runs_of_model ON runs (model_id);

      CREATE TABLE layer_reports (
        run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        layer INTEGER NOT NULL,
        kind TEXT NOT NULL,
        rows INTEGER NOT NULL,
        columns INTEGER NOT NULL,
        nominal_bits REAL NOT NULL,
        linear_bits REAL NOT NULL,
        bytes INTEGER NOT NULL,
        relative_weight_error REAL,
        relative_output_error REAL,
        salient_columns INTEGER,
        seconds REAL NOT NULL,
        PRIMARY KEY (run_id, name)
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE metrics (
        id INTEGER PRIMARY KEY,
        model_id INTEGER REFERENCES models (id) ON DELETE CASCADE,
        run_id INTEGER REFERENCES runs (id) ON DELETE CASCADE,
        subject TEXT NOT NULL CHECK (subject IN ('original', 'packed')),
        name TEXT NOT NULL,
        protocol TEXT NOT NULL,
        source TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        text_tokens INTEGER NOT NULL,
        value REAL,
        standard_error REAL,
        tokens INTEGER NOT NULL,
        windows INTEGER NOT NULL,
        window INTEGER NOT NULL,
        seconds REAL NOT NULL,
        measured_at INTEGER NOT NULL,
        CHECK ((model_id IS NULL) <> (run_id IS NULL))
      ) STRICT;
      CREATE UNIQUE INDEX metrics_of_what ON metrics
        (ifnull(run_id, 0), ifnull(model_id, 0), subject, name, protocol, sha256, window);
      CREATE INDEX metrics_of_model ON metrics (model_id);

      CREATE TABLE exports (
        id INTEGER PRIMARY KEY,
        run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        format TEXT NOT NULL,
        path TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        verified INTEGER NOT NULL CHECK (verified IN (0, 1)),
        created_at INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX exports_of_run ON exports (run_id);

      CREATE TABLE settings (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL CHECK (json_valid(value)),
        changed_at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
    `,
  },
  {
    title: 'leases, queue, trash',
    sql: `
      CREATE TABLE leases (
        run_id INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
        device TEXT UNIQUE,
        owner TEXT NOT NULL,
        pid INTEGER NOT NULL,
        boot_id TEXT NOT NULL,
        process_start TEXT,
        heartbeat_at INTEGER NOT NULL,
        heartbeat_uptime INTEGER
      ) STRICT;

      CREATE TABLE queue (
        run_id INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        threads INTEGER NOT NULL
      ) STRICT;

      CREATE TABLE trash (
        run_id INTEGER PRIMARY KEY,
        folder TEXT NOT NULL,
        trash TEXT NOT NULL
      ) STRICT;
    `,
  },
  {
    title: 'training: phases and their steps',
    sql: `
      CREATE TABLE phases (
        id INTEGER PRIMARY KEY,
        run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        name TEXT NOT NULL,
        steps INTEGER NOT NULL,
        started_at INTEGER,
        finished_at INTEGER,
        UNIQUE (run_id, position)
      ) STRICT;

      CREATE TABLE steps (
        phase_id INTEGER NOT NULL REFERENCES phases (id) ON DELETE CASCADE,
        step INTEGER NOT NULL,
        loss REAL,
        learning_rate REAL,
        seconds REAL NOT NULL,
        PRIMARY KEY (phase_id, step)
      ) STRICT, WITHOUT ROWID;
    `,
  },
  {
    title: 'the method of each linear',
    sql: 'ALTER TABLE layer_reports ADD COLUMN method TEXT;',
  },
  {
    title: "the sparsity of fdb's planes",
    sql: `
      ALTER TABLE layer_reports ADD COLUMN plane1_sparsity REAL;
      ALTER TABLE layer_reports ADD COLUMN plane2_sparsity REAL;
    `,
  },
  {
    title: 'what was exported: type, hashes, verification',
    sql: `
      ALTER TABLE exports ADD COLUMN type TEXT;
      ALTER TABLE exports ADD COLUMN files TEXT CHECK (json_valid(files));
      ALTER TABLE exports ADD COLUMN verification TEXT CHECK (json_valid(verification));
    `,
  },
  {
    title: 'linears of runs that were made elsewhere: no seconds',
    sql: `
      CREATE TABLE layer_reports_with_seconds_unknown (
        run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        layer INTEGER NOT NULL,
        kind TEXT NOT NULL,
        rows INTEGER NOT NULL,
        columns INTEGER NOT NULL,
        nominal_bits REAL NOT NULL,
        linear_bits REAL NOT NULL,
        bytes INTEGER NOT NULL,
        relative_weight_error REAL,
        relative_output_error REAL,
        salient_columns INTEGER,
        seconds REAL,
        method TEXT,
        plane1_sparsity REAL,
        plane2_sparsity REAL,
        PRIMARY KEY (run_id, name)
      ) STRICT, WITHOUT ROWID;
      INSERT INTO layer_reports_with_seconds_unknown
        SELECT run_id, name, layer, kind, rows, columns, nominal_bits, linear_bits, bytes, relative_weight_error,
          relative_output_error, salient_columns, seconds, method, plane1_sparsity, plane2_sparsity FROM layer_reports;
      DROP TABLE layer_reports;
      ALTER TABLE layer_reports_with_seconds_unknown RENAME TO layer_reports;
    `,
  },
  {
    title: 'tags, notes, archived and deleted runs, mean output errors, and which run changed when',
    sql: `
      ALTER TABLE runs ADD COLUMN note TEXT NOT NULL DEFAULT '';
      ALTER TABLE runs ADD COLUMN archived_at INTEGER;
      ALTER TABLE runs ADD COLUMN deleted_at INTEGER;
      ALTER TABLE runs ADD COLUMN output_error REAL;
      UPDATE runs SET output_error = (
        SELECT sum(relative_output_error * rows * columns) / sum(rows * columns) FROM layer_reports
        WHERE run_id = runs.id AND relative_output_error IS NOT NULL);

      CREATE TABLE tags (
        run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        tag TEXT NOT NULL CHECK (tag <> ''),
        PRIMARY KEY (run_id, tag)
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE run_changes (
        run_id INTEGER PRIMARY KEY,
        revision INTEGER NOT NULL UNIQUE
      ) STRICT;
      ${changeTriggers}
    `,
  },
  {
    title: 'runs as lists show them, and metrics by run',
    sql: `
      CREATE INDEX metrics_of_run ON metrics (run_id) WHERE run_id IS NOT NULL;
      CREATE TABLE run_lines (
        run_id INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
        revision INTEGER NOT NULL,
        head TEXT NOT NULL,
        metrics TEXT NOT NULL
      ) STRICT;
      CREATE INDEX run_lines_by_revision ON run_lines (revision);
      INSERT INTO run_changes SELECT id, (SELECT ifnull(max(revision), 0) FROM run_changes) + row_number() OVER (ORDER BY id)
        FROM runs WHERE id NOT IN (SELECT run_id FROM run_changes);
    `,
  },
  {
    title: "cards: a run's device by name, its precision, the most memory of the card",
    sql: `
      ALTER TABLE runs ADD COLUMN device_name TEXT;
      ALTER TABLE runs ADD COLUMN precision TEXT;
      ALTER TABLE runs ADD COLUMN device_peak_bytes INTEGER;
    `,
  },
  {
    title: 'a waiting run may go on on another device than it was on',
    sql: 'ALTER TABLE queue ADD COLUMN elsewhere INTEGER NOT NULL DEFAULT 0',
  },
]
