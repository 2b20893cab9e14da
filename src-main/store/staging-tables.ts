import type { Database } from './database.ts';

/*
 * What an import finds lies in tables of the connection's own temporary database until it is saved, so that the import takes the same
 * memory for any number of images (ADR 18). They are in no project file, and gone with the connection.
 */

export function createStagingTables(db: Database): void {
  db.exec(tables);
}

export function clearStaging(db: Database): void {
  for (const table of names) db.exec(`DELETE FROM temp.${table}`);
}

/** Takes no lock on the project, so that people and other programs can go on working on it. */
export function inStagingTransaction(db: Database, work: () => void): void {
  db.transaction(work)();
}

const names = [
  'staged_file',
  'staged_problem',
  'staged_row',
  'staged_name',
  'staged_class',
  'staged_candidate',
  'staged_move',
];

const tables = `
  CREATE TEMP TABLE IF NOT EXISTS staged_file (
    path TEXT PRIMARY KEY,
    -- the path in composed Unicode (NFC), where that is another
    composed TEXT,
    byte_size INTEGER NOT NULL,
    modified_ms REAL NOT NULL,
    given_class TEXT,
    -- from here on null until the file has been read
    content_hash TEXT,
    width INTEGER,
    height INTEGER,
    format TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS temp.staged_file_composed ON staged_file (composed) WHERE composed IS NOT NULL;

  CREATE TEMP TABLE IF NOT EXISTS staged_problem (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    severity TEXT NOT NULL
  ) STRICT;
  CREATE TEMP TABLE IF NOT EXISTS staged_row (
    id INTEGER PRIMARY KEY,
    line INTEGER NOT NULL,
    label TEXT NOT NULL,
    literal TEXT NOT NULL,
    path TEXT NOT NULL,
    name TEXT NOT NULL,
    -- path of the staged_file that it means; null as long as that is not known
    file TEXT,
    -- 0 when the file was found by its path
    guessed INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX IF NOT EXISTS temp.staged_row_file ON staged_row (file, guessed, id) WHERE file IS NOT NULL;

  CREATE TEMP TABLE IF NOT EXISTS staged_name (
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    PRIMARY KEY (name, path)
  ) STRICT, WITHOUT ROWID;

  -- The class of every label, from when the import is saved.
  CREATE TEMP TABLE IF NOT EXISTS staged_class (
    label TEXT PRIMARY KEY,
    class_id INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- Samples that are missing, and new paths with the same content as one of them; see applyMoves.
  CREATE TEMP TABLE IF NOT EXISTS staged_candidate (
    path TEXT PRIMARY KEY,
    content_hash TEXT NOT NULL,
    -- null for a new path
    sample_id INTEGER,
    -- what follows the last slash
    file_name TEXT AS (substr(path, length(rtrim(path, replace(path, '/', ''))) + 1))
  ) STRICT, WITHOUT ROWID;

  CREATE TEMP TABLE IF NOT EXISTS staged_move (
    sample_id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE
  ) STRICT;
`;
