import type BetterSqlite3 from 'better-sqlite3';
import { AppError } from '../../shared/result.ts';

/** "WINO": marks a SQLite file as a Winnow project. */
export const applicationId = 0x57494e4f;

/** Version n is the state after the first n entries; entries are never changed once released, only added. */
export const migrations: readonly string[] = [
  `
  CREATE TABLE project (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE class (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
  ) STRICT;

  CREATE TABLE sample (
    id INTEGER PRIMARY KEY,
    -- relative to the image folder, '/' separated
    path TEXT NOT NULL UNIQUE,
    content_hash TEXT NOT NULL,
    byte_size INTEGER NOT NULL,
    modified_ms REAL NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    format TEXT NOT NULL,
    given_class_id INTEGER NOT NULL REFERENCES class (id),
    -- 0 when its file was not there at the latest import
    present INTEGER NOT NULL DEFAULT 1 CHECK (present IN (0, 1))
  ) STRICT;
  CREATE INDEX sample_by_class ON sample (given_class_id, present);
  CREATE INDEX sample_by_content ON sample (content_hash);
  -- everything that the queue needs of a sample
  CREATE INDEX sample_by_presence ON sample (present, id, given_class_id);

  CREATE TABLE problem (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    severity TEXT NOT NULL CHECK (severity IN ('error', 'warning'))
  ) STRICT;

  CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    status TEXT NOT NULL CHECK (status IN ('preparing', 'running', 'done', 'cancelled', 'failed')),
    plan_json TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT,
    error TEXT,
    -- the FindingsSummary of the latest epoch; null until there is one
    findings_json TEXT
  ) STRICT;

  CREATE TABLE run_class (
    run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    -- index of the class in targets
    position INTEGER NOT NULL,
    class_id INTEGER NOT NULL REFERENCES class (id),
    PRIMARY KEY (run_id, position)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE run_sample (
    run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    -- row of the sample in targets
    position INTEGER NOT NULL,
    sample_id INTEGER NOT NULL REFERENCES sample (id),
    -- the label it was trained with, one of run_class
    class_id INTEGER NOT NULL,
    PRIMARY KEY (run_id, position)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX run_sample_by_sample ON run_sample (run_id, sample_id);

  CREATE TABLE epoch (
    run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    epoch INTEGER NOT NULL,
    loss REAL NOT NULL,
    accuracy REAL NOT NULL,
    learning_rate REAL NOT NULL,
    images_per_second REAL NOT NULL,
    seconds REAL NOT NULL,
    seconds_left REAL NOT NULL,
    doubts INTEGER NOT NULL,
    PRIMARY KEY (run_id, epoch)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE epoch_target (
    run_id INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    -- samples block * 1024 .. block * 1024 + 1023 of the run, so that the path of one sample reads little
    block INTEGER NOT NULL,
    -- float16, little-endian: [samples of the block, classes] and [samples of the block]
    targets BLOB NOT NULL,
    weights BLOB NOT NULL,
    PRIMARY KEY (run_id, epoch, block),
    FOREIGN KEY (run_id, epoch) REFERENCES epoch (run_id, epoch) ON DELETE CASCADE
  ) STRICT;

  CREATE TABLE finding (
    run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    sample_id INTEGER NOT NULL REFERENCES sample (id),
    score REAL NOT NULL,
    -- one of run_class
    suggested_class_id INTEGER NOT NULL,
    weight REAL NOT NULL,
    given_target REAL NOT NULL,
    suggested_target REAL NOT NULL,
    flip_epoch INTEGER,
    flagged INTEGER NOT NULL CHECK (flagged IN (0, 1)),
    PRIMARY KEY (run_id, sample_id)
  ) STRICT, WITHOUT ROWID;

  -- What a person decided; a sample without a row is unreviewed.
  CREATE TABLE review (
    sample_id INTEGER PRIMARY KEY REFERENCES sample (id),
    state TEXT NOT NULL CHECK (state IN ('confirmed', 'relabeled', 'dropped', 'skipped')),
    -- the label that was decided on; null for dropped and skipped
    class_id INTEGER REFERENCES class (id),
    decided_at TEXT NOT NULL,
    CHECK ((class_id IS NOT NULL) = (state IN ('confirmed', 'relabeled')))
  ) STRICT;
  CREATE INDEX review_by_state ON review (state);

  -- One undoable step each, in the order in which they were made; kept for ever.
  CREATE TABLE action (
    id INTEGER PRIMARY KEY,
    label TEXT NOT NULL,
    made_at TEXT NOT NULL,
    undone INTEGER NOT NULL DEFAULT 0 CHECK (undone IN (0, 1)),
    -- undone, and then another action was made: it cannot be redone
    discarded INTEGER NOT NULL DEFAULT 0 CHECK (discarded IN (0, 1))
  ) STRICT;
  CREATE INDEX action_undone ON action (undone, discarded, id);

  CREATE TABLE action_change (
    action_id INTEGER NOT NULL REFERENCES action (id),
    sample_id INTEGER NOT NULL REFERENCES sample (id),
    before_state TEXT NOT NULL,
    before_class_id INTEGER REFERENCES class (id),
    before_decided_at TEXT,
    after_state TEXT NOT NULL,
    after_class_id INTEGER REFERENCES class (id),
    PRIMARY KEY (action_id, sample_id)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Variants of training: runs from before were all of the one recipe that there was.
  UPDATE run SET plan_json = json_patch(
    '{"recipe":"sat","network":"compact","optimizer":"sgd-nesterov","schedule":{"kind":"one-cycle"},
      "augmentation":"shift-flip","attack":null,"preset":null,"startFrom":null}',
    plan_json);

  -- null where the recipe has no abstention class
  ALTER TABLE finding ADD COLUMN abstention REAL;

  -- null where no labels are learned; the column is made anew because SQLite cannot take NOT NULL away
  ALTER TABLE epoch ADD COLUMN agreement REAL;
  UPDATE epoch SET agreement = accuracy;
  ALTER TABLE epoch DROP COLUMN accuracy;
  ALTER TABLE epoch RENAME COLUMN agreement TO accuracy;
  -- collapse monitor; null where nothing can collapse
  ALTER TABLE epoch ADD COLUMN spread REAL;

  CREATE TABLE embedding (
    run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    -- position in the run of the first sample of this part
    start INTEGER NOT NULL,
    dimension INTEGER NOT NULL,
    -- float16, little-endian: [samples of the part, dimension], each row of length 1
    vectors BLOB NOT NULL,
    PRIMARY KEY (run_id, start)
  ) STRICT;
  `,
  `
  -- Classes can be renamed, merged and made by hand; what the images' folder or file calls them stays known.
  CREATE TABLE new_class (
    id INTEGER PRIMARY KEY,
    -- as people see it and as it is exported
    name TEXT NOT NULL,
    -- as the imported labels name it; null for classes that were made here
    source_name TEXT UNIQUE,
    -- '#rrggbb'; null for the colour of its place in the list
    color TEXT,
    -- one character; null for none
    hotkey TEXT,
    -- the class that it stands for since the two were merged, which is not merged itself
    merged_into INTEGER REFERENCES class (id),
    -- 1 when the action that made it was undone
    removed INTEGER NOT NULL DEFAULT 0 CHECK (removed IN (0, 1))
  ) STRICT;
  INSERT INTO new_class (id, name, source_name) SELECT id, name, name FROM class;
  DROP TABLE class;
  ALTER TABLE new_class RENAME TO class;
  CREATE UNIQUE INDEX class_name ON class (name) WHERE removed = 0 AND merged_into IS NULL;
  CREATE UNIQUE INDEX class_hotkey ON class (hotkey) WHERE removed = 0 AND merged_into IS NULL;

  -- Who decided; empty where it was not known.
  ALTER TABLE action ADD COLUMN author TEXT NOT NULL DEFAULT '';
  ALTER TABLE review ADD COLUMN decided_by TEXT NOT NULL DEFAULT '';
  ALTER TABLE action_change ADD COLUMN before_decided_by TEXT;
  CREATE INDEX action_change_by_sample ON action_change (sample_id);

  -- What an action did to a class: the columns of class that can change, as JSON.
  CREATE TABLE action_class (
    action_id INTEGER NOT NULL REFERENCES action (id),
    class_id INTEGER NOT NULL REFERENCES class (id),
    before_json TEXT NOT NULL,
    after_json TEXT NOT NULL,
    PRIMARY KEY (action_id, class_id)
  ) STRICT, WITHOUT ROWID;

  -- The data set in the plane: float32 pairs, little-endian, in the order of run_sample.position.
  CREATE TABLE map (
    run_id INTEGER PRIMARY KEY REFERENCES run (id) ON DELETE CASCADE,
    positions BLOB NOT NULL
  ) STRICT;

  -- What a picture looks like from afar, to find nearly identical ones; by content, so that a moved file keeps it.
  CREATE TABLE fingerprint (
    content_hash TEXT PRIMARY KEY,
    bits BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Runs can be paused and resumed. The table is made anew because SQLite cannot change a CHECK.
  CREATE TABLE new_run (
    id INTEGER PRIMARY KEY,
    status TEXT NOT NULL
      CHECK (status IN ('preparing', 'running', 'paused', 'interrupted', 'done', 'cancelled', 'failed')),
    plan_json TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT,
    error TEXT,
    -- the FindingsSummary of the latest epoch; null until there is one
    findings_json TEXT,
    -- what happened on the way, an array of sentences
    notes_json TEXT NOT NULL DEFAULT '[]'
  ) STRICT;
  INSERT INTO new_run (id, status, plan_json, started_at, ended_at, error, findings_json)
    SELECT id, status, plan_json, started_at, ended_at, error, findings_json FROM run;
  DROP TABLE run;
  ALTER TABLE new_run RENAME TO run;
  `,
  `
  -- Found by name, and not referred to any more: without these, an import with a label for every file (the wrong column of a CSV), and the one
  -- that puts it right, take as long as the number of files squared.
  CREATE INDEX class_by_name ON class (name);
  CREATE INDEX class_by_merge ON class (merged_into);
  CREATE INDEX run_class_by_class ON run_class (class_id);
  CREATE INDEX action_class_by_class ON action_class (class_id);
  CREATE INDEX review_by_class ON review (class_id);
  `,
  `
  -- The history of one reviewer is read a page at a time, however long that of the others is.
  CREATE INDEX action_by_author ON action (author);
  -- samples that it has changed: to count them for every page takes long where actions are of hundreds of thousands
  ALTER TABLE action ADD COLUMN samples INTEGER NOT NULL DEFAULT 0;
  UPDATE action SET samples = (SELECT count(*) FROM action_change WHERE action_id = action.id);
  `,
];

/** Brings the tables to the newest version, each step in its own transaction; leaves foreign keys off if there was one. Refuses a project of a newer Winnow. */
export function migrate(db: BetterSqlite3.Database, file: string): void {
  const upgrade = db.transaction(() => {
    const version = db.pragma('user_version', { simple: true }) as number;
    if (version > migrations.length) {
      throw new AppError(
        'project-from-future',
        `${file} was made by a newer Winnow (project version ${version}, this one knows ${migrations.length}). Update Winnow to open it.`,
      );
    }
    const step = migrations[version];
    if (step === undefined) return false;
    db.exec(step);
    const broken = db.pragma('foreign_key_check') as unknown[];
    if (broken.length > 0) throw new Error(`Migration ${version + 1} would break ${broken.length} references.`);
    db.pragma(`application_id = ${applicationId}`);
    db.pragma(`user_version = ${version + 1}`);
    return true;
  });
  // A project that is up to date needs no write lock, which another service may hold.
  if (db.pragma('user_version', { simple: true }) === migrations.length) return;
  // A step may make a table anew to which others refer; the references are checked after each step instead.
  db.pragma('foreign_keys = OFF');
  while (upgrade.immediate());
}
