import { numberOf, pages, statement, type Database } from './database.ts';
import { inStagingTransaction } from './staging-tables.ts';

/** A row of a labels CSV, with the names under which its file is looked for. */
export interface StagedRow {
  /** On which the row ends, from 1. */
  line: number;
  label: string;
  /** As it is written, in composed Unicode (NFC). */
  literal: string;
  /** As projects keep paths. */
  path: string;
  /** The file's name in the path. */
  name: string;
}

/** A row whose file has another label by an earlier one. */
export interface ConflictingRow extends Pick<StagedRow, 'line' | 'label' | 'path'> {
  firstLine: number;
  firstLabel: string;
}

/** Part of an import's staging: which of the files the rows of a labels CSV mean. */
export interface RowStaging {
  /** Files of which nothing else matters. */
  addPaths(paths: readonly string[]): void;
  addRows(rows: readonly StagedRow[]): void;
  /** Finds the files of the rows that name one by its path; the literal name comes first. */
  matchRowsByPath(): void;
  countUnmatchedRows(): number;
  /** Paths of the files that no row has been matched to. */
  filesWithoutRow(): Generator<string>;
  /** Names by which a file without a row may be meant. */
  addNames(names: readonly { name: string; path: string }[]): void;
  /** Finds the files of rows by name: where one file alone has it, and all unmatched rows of that name have the same path. */
  matchRowsByName(): void;
  /** The file that each row means, null where none was found; in the order in which they were added. */
  rowFiles(): Generator<{ literal: string; file: string | null }>;
  /** In order of line. */
  unmatchedRows(): Generator<{ id: number; line: number; path: string }>;
  /** Says which of the files a row means. */
  matchRow(id: number, path: string): void;
  /** Gives every file the label of its first row; those that are named by their path come before the others. */
  labelFiles(): void;
  conflictingRows(): Generator<ConflictingRow>;
  /** The first rows of files, where they give no label. */
  emptyRows(): Generator<Pick<StagedRow, 'line' | 'path'>>;
  /** Takes out the files that no row gives a label. */
  dropUnlabeledFiles(): void;
}

export function createRowStaging(db: Database): RowStaging {
  return {
    addPaths: (paths) => {
      const insert = statement(
        db,
        'INSERT OR IGNORE INTO staged_file (path, composed, byte_size, modified_ms) VALUES (?, ?, 0, 0)',
      );
      inStagingTransaction(db, () => {
        for (const path of paths) insert.run(path, composedOf(path));
      });
    },
    addRows: (rows) => {
      const insert = statement(
        db,
        'INSERT INTO staged_row (line, label, literal, path, name) VALUES (@line, @label, @literal, @path, @name)',
      );
      inStagingTransaction(db, () => {
        for (const row of rows) insert.run(row);
      });
    },
    matchRowsByPath: () => {
      statement(
        db,
        `UPDATE staged_row SET file = coalesce(
           (SELECT file.path FROM staged_file AS file WHERE file.path = staged_row.literal),
           (SELECT file.path FROM staged_file AS file WHERE file.composed = staged_row.literal),
           (SELECT file.path FROM staged_file AS file WHERE file.path = staged_row.path),
           (SELECT file.path FROM staged_file AS file WHERE file.composed = staged_row.path))`,
      ).run();
    },
    countUnmatchedRows: () => numberOf(db, 'SELECT count(*) AS value FROM staged_row WHERE file IS NULL'),
    *filesWithoutRow() {
      const files = `SELECT path FROM staged_file
                      WHERE path > ? AND NOT EXISTS (SELECT 1 FROM staged_row WHERE file = staged_file.path) ORDER BY path`;
      for (const page of pages<[string]>(db, files, { from: '' })) for (const [path] of page) yield path;
    },
    addNames: (names) => {
      const insert = statement(db, 'INSERT OR IGNORE INTO staged_name (name, path) VALUES (@name, @path)');
      inStagingTransaction(db, () => {
        for (const each of names) insert.run(each);
      });
    },
    matchRowsByName: () => {
      statement(
        db,
        `UPDATE staged_row
            SET guessed = 1,
                file = (SELECT iif(count(*) = 1, min(named.path), NULL) FROM staged_name AS named WHERE named.name = staged_row.name)
          WHERE file IS NULL
            AND name IN (SELECT name FROM staged_row WHERE file IS NULL GROUP BY name HAVING min(path) = max(path))`,
      ).run();
    },
    *rowFiles() {
      const rows = 'SELECT id, literal, file FROM staged_row WHERE id > ? ORDER BY id';
      for (const page of pages<[number, string, string | null]>(db, rows))
        for (const [, literal, file] of page) yield { literal, file };
    },
    *unmatchedRows() {
      const rows = 'SELECT id, line, path FROM staged_row WHERE file IS NULL AND id > ? ORDER BY id';
      for (const page of pages<[number, number, string]>(db, rows))
        for (const [id, line, path] of page) yield { id, line, path };
    },
    matchRow: (id, path) => {
      statement(db, 'UPDATE staged_row SET file = ?, guessed = 1 WHERE id = ?').run(path, id);
    },
    labelFiles: () => {
      statement(
        db,
        `UPDATE staged_file SET given_class = (SELECT label FROM staged_row WHERE id = ${firstRowOf('staged_file.path')})`,
      ).run();
    },
    *conflictingRows() {
      const rows = `SELECT row.id, row.line, row.label, row.path, earlier.line, earlier.label
                      FROM staged_row AS row JOIN staged_row AS earlier ON earlier.id = ${firstRowOf('row.file')}
                     WHERE row.label <> earlier.label AND row.id > ? ORDER BY row.id`;
      for (const page of pages<[number, number, string, string, number, string]>(db, rows))
        for (const [, line, label, path, firstLine, firstLabel] of page)
          yield { line, label, path, firstLine, firstLabel };
    },
    *emptyRows() {
      const rows = `SELECT row.id, row.line, row.path FROM staged_row AS row
                     WHERE row.label = '' AND row.id = ${firstRowOf('row.file')} AND row.id > ? ORDER BY row.id`;
      for (const page of pages<[number, number, string]>(db, rows))
        for (const [, line, path] of page) yield { line, path };
    },
    dropUnlabeledFiles: () => {
      statement(db, "DELETE FROM staged_file WHERE given_class IS NULL OR given_class = ''").run();
    },
  };
}

/** A path in composed Unicode (NFC), where that is another. */
export function composedOf(path: string): string | null {
  const composed = path.normalize();
  return composed === path ? null : composed;
}

/** As SQL: the id of the row that gives a file its label. */
function firstRowOf(file: string): string {
  return `(SELECT named.id FROM staged_row AS named WHERE named.file = ${file} ORDER BY named.guessed, named.id LIMIT 1)`;
}
