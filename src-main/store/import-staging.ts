import type { Problem } from '../../shared/domain.ts';
import { allRows, firstRow, numberOf, openDatabase, pages, statement, type Database } from './database.ts';
import { composedOf, createRowStaging, type RowStaging } from './row-staging.ts';
import { clearStaging, createStagingTables, inStagingTransaction } from './staging-tables.ts';

/** A file that an import found. */
export interface StagedFile {
  /** Relative to the image folder, `/` separated. */
  path: string;
  byteSize: number;
  modifiedMs: number;
  /** The label that the folder or file gives; null as long as it is not known. */
  givenClass: string | null;
}

/** What reading a file has brought. */
export interface StagedPicture {
  path: string;
  contentHash: string;
  width: number;
  height: number;
  format: string;
}

export interface ImportStaging extends RowStaging {
  /** What the project knows of a file of the same path, size and time of change is taken over; as rsync and make do. */
  addFiles(files: readonly StagedFile[]): void;
  addProblems(problems: readonly Problem[]): void;
  addPictures(pictures: readonly StagedPicture[]): void;
  /** The files of which nothing is known yet, in order of path; also while they are being read. */
  unreadFiles(): Generator<Pick<StagedFile, 'path' | 'byteSize'>>;
  /** Takes out the files that could not be read. */
  dropUnreadFiles(): void;
  /** In order of path; the format is null as long as the file has not been read. */
  files(): Generator<StagedFile & { givenClass: string; format: string | null }>;
  countFiles(): { all: number; read: number };
  /** At most two of the labels that the files have. */
  someLabels(): string[];
  countProblems(): number;
  /** The first error, in order of path; null if there is none. */
  firstError(): Problem | null;
  /** Takes everything out. */
  clear(): void;
}

/** Staging that is no project's, in a temporary file; gone when the work ends. */
export async function withStaging<T>(work: (staging: ImportStaging) => Promise<T>): Promise<T> {
  const db = openDatabase(':memory:', { create: true });
  try {
    return await work(openStaging(db));
  } finally {
    db.close();
  }
}

/** Begins anew: what an earlier import on this connection has left is taken out. */
export function openStaging(db: Database): ImportStaging {
  createStagingTables(db);
  clearStaging(db);
  return {
    ...createRowStaging(db),
    addFiles: (files) => {
      const insert = statement(
        db,
        `INSERT OR IGNORE INTO staged_file
                (path, composed, byte_size, modified_ms, given_class, content_hash, width, height, format)
         SELECT @path, @composed, @byteSize, @modifiedMs, @givenClass, content_hash, width, height, format
           FROM (SELECT 1)
           LEFT JOIN sample ON sample.path = @path AND byte_size = @byteSize AND modified_ms = @modifiedMs`,
      );
      inStagingTransaction(db, () => {
        for (const { path, byteSize, modifiedMs, givenClass } of files) {
          insert.run({ path, composed: composedOf(path), byteSize, modifiedMs, givenClass });
        }
      });
    },
    addProblems: (problems) => {
      const insert = statement(db, 'INSERT INTO staged_problem (path, kind, reason, severity) VALUES (?, ?, ?, ?)');
      inStagingTransaction(db, () => {
        for (const { path, kind, reason, severity } of problems) insert.run(path, kind, reason, severity);
      });
    },
    addPictures: (pictures) => {
      const update = statement(
        db,
        'UPDATE staged_file SET content_hash = ?, width = ?, height = ?, format = ? WHERE path = ?',
      );
      inStagingTransaction(db, () => {
        for (const { path, contentHash, width, height, format } of pictures)
          update.run(contentHash, width, height, format, path);
      });
    },
    *unreadFiles() {
      const unread = 'SELECT path, byte_size FROM staged_file WHERE content_hash IS NULL AND path > ? ORDER BY path';
      for (const page of pages<[string, number]>(db, unread, { from: '' }))
        for (const [path, byteSize] of page) yield { path, byteSize };
    },
    dropUnreadFiles: () => {
      statement(db, 'DELETE FROM staged_file WHERE content_hash IS NULL').run();
    },
    *files() {
      const all =
        'SELECT path, given_class, byte_size, modified_ms, format FROM staged_file WHERE path > ? ORDER BY path';
      for (const page of pages<[string, string, number, number, string | null]>(db, all, { from: '' }))
        for (const [path, givenClass, byteSize, modifiedMs, format] of page)
          yield { path, givenClass, byteSize, modifiedMs, format };
    },
    countFiles: () =>
      firstRow<{ all: number; read: number }>(
        db,
        'SELECT count(*) AS "all", count(content_hash) AS "read" FROM staged_file',
      )!,
    someLabels: () =>
      allRows<{ label: string }>(db, 'SELECT DISTINCT given_class AS label FROM staged_file LIMIT 2').map(
        ({ label }) => label,
      ),
    countProblems: () => numberOf(db, 'SELECT count(*) AS value FROM staged_problem'),
    firstError: () =>
      firstRow<Problem>(
        db,
        "SELECT path, kind, reason, severity FROM staged_problem WHERE severity = 'error' ORDER BY path, id LIMIT 1",
      ),
    clear: () => clearStaging(db),
  };
}
