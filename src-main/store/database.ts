import { closeSync, constants, accessSync, openSync, readSync, statSync } from 'node:fs';
import path from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { AppError, errorMessage } from '../../shared/result.ts';
import { noteRollback, watchChanges } from './changes.ts';
import { applicationId, migrate } from './migrations.ts';

export type Database = BetterSqlite3.Database;

/** How long a statement waits for another process that is writing, in milliseconds. */
const busyTimeout = 5000;

/** Holds the tables that the queue reads of some 200,000 samples. */
const pageCacheKib = 64 * 1024;

/** Of what is gone through once; more would make nothing faster (a million samples, saved: the same time as with 64 MB). */
const smallCacheKib = 4 * 1024;

/**
 * Opens a project file, a new one when `create` is set and none is there, and brings its tables up to date.
 * `:memory:` gives a database of no file. A file that is no Winnow project is refused before SQLite touches it.
 */
export function openDatabase(file: string, { create }: { create: boolean }): Database {
  const inMemory = file === ':memory:';
  if (!inMemory) checkProjectFile(file, create);
  let db: Database | undefined;
  try {
    db = new BetterSqlite3(file, { timeout: busyTimeout, fileMustExist: !create && !inMemory });
    migrate(db, file);
    db.pragma('foreign_keys = ON');
    // Only now, so that the first page, and with it the application id, is in the file itself from the start.
    db.pragma('journal_mode = WAL');
    // In WAL mode only FULL puts a commit on disk before it answers.
    db.pragma('synchronous = FULL');
    // What an import stages may be large.
    db.pragma('temp_store = FILE');
    db.pragma(`temp.cache_size = -${smallCacheKib}`);
    db.pragma(`cache_size = -${pageCacheKib}`);
    watchChanges(db);
    return db;
  } catch (error) {
    db?.close();
    throw (
      toStorageError(file, error) ??
      new AppError('project-file', `${file} cannot be opened: ${errorMessage(error)}`, { cause: error })
    );
  }
}

/** Does work that goes through very many rows once, in memory that does not grow with their number. Not inside a transaction. */
export function inSmallMemory<T>(db: Database, work: () => T): T {
  db.pragma(`cache_size = -${smallCacheKib}`);
  try {
    return work();
  } finally {
    db.pragma(`cache_size = -${pageCacheKib}`);
  }
}

/**
 * Runs `work` in one transaction that takes the write lock at once; nothing of it stays if it throws. Inside another it is a part of that
 * one, and what it throws must end that one, too: with a savepoint of its own, SQLite would go through all the pages that were changed so
 * far after each statement (it keeps them in memory, as a list), and a hundred thousand changes would take minutes.
 */
export function inTransaction<T>(db: Database, work: () => T): T {
  if (db.inTransaction) return work();
  try {
    return db.transaction(work).immediate();
  } catch (error) {
    noteRollback(db);
    throw error;
  }
}

/** Runs `read`, whose queries then see the project as it was at one moment, whatever other processes write meanwhile. */
export function inSnapshot<T>(db: Database, read: () => T): T {
  return db.inTransaction ? read() : db.transaction(read).deferred();
}

/** A prepared statement, compiled once per connection. Not for `iterate`, which would keep it busy. */
export function statement<Row = unknown>(db: Database, sql: string): BetterSqlite3.Statement<unknown[], Row> {
  let statements = statementsByDatabase.get(db);
  if (statements === undefined) {
    statements = new Map();
    statementsByDatabase.set(db, statements);
  }
  let prepared = statements.get(sql);
  if (prepared === undefined) {
    prepared = db.prepare(sql);
    statements.set(sql, prepared);
  }
  return prepared as BetterSqlite3.Statement<unknown[], Row>;
}

/** All rows of a query. */
export function allRows<Row>(db: Database, sql: string, ...values: unknown[]): Row[] {
  return statement<Row>(db, sql).all(...values);
}

/**
 * The rows of a query as arrays, in pages: for a whole table, several times quicker than as objects or all at once. The query is
 * ordered by its first column, and its last parameter is what that column is to be larger than.
 */
export function* pages<Row extends [number | string, ...unknown[]]>(
  db: Database,
  sql: string,
  { values = [], from = 0 }: { values?: readonly unknown[]; from?: number | string } = {},
): Generator<Row[]> {
  const read = statement<Row>(db, `${sql} LIMIT ${pageLength}`).raw();
  for (let last = from; ;) {
    const rows = read.all(...values, last);
    yield rows;
    if (rows.length < pageLength) return;
    last = rows.at(-1)![0];
  }
}

/** The first row of a query, null if there is none. */
export function firstRow<Row>(db: Database, sql: string, ...values: unknown[]): Row | null {
  return statement<Row>(db, sql).get(...values) ?? null;
}

/** The number that a query such as `SELECT count(*) AS value` gives. */
export function numberOf(db: Database, sql: string, ...values: unknown[]): number {
  return firstRow<{ value: number }>(db, sql, ...values)?.value ?? 0;
}

/** What SQLite could not do with a file, in words for people; null for anything else that was thrown. */
export function toStorageError(file: string, error: unknown): AppError | null {
  if (error instanceof AppError) return error;
  if (!(error instanceof BetterSqlite3.SqliteError)) return null;
  const failure = storageFailures.find(({ codes }) => codes.some((code) => error.code.startsWith(code)));
  return failure === undefined ? null : new AppError(failure.answer, `${file} ${failure.message}`, { cause: error });
}

/** Few enough that the garbage collector never has to carry them along. */
const pageLength = 1000;

const statementsByDatabase = new WeakMap<Database, Map<string, BetterSqlite3.Statement>>();

const storageFailures: { codes: string[]; answer: 'busy' | 'project-file'; message: string }[] = [
  {
    codes: ['SQLITE_BUSY', 'SQLITE_LOCKED'],
    answer: 'busy',
    message: 'is being written by another program. Nothing was changed; try again in a moment.',
  },
  {
    codes: ['SQLITE_CORRUPT', 'SQLITE_NOTADB'],
    answer: 'project-file',
    message: 'is damaged. Keep it, and open a backup copy.',
  },
  {
    codes: ['SQLITE_FULL'],
    answer: 'project-file',
    message: 'cannot grow, because the disk is full. Nothing was changed; make room and try again.',
  },
  {
    codes: ['SQLITE_READONLY', 'SQLITE_CANTOPEN', 'SQLITE_PERM', 'SQLITE_IOERR'],
    answer: 'project-file',
    message:
      'cannot be read or written there. Nothing was changed; check that its disk is connected and that you may write to its folder.',
  },
];

/** Bytes 0..15 of every SQLite database. */
const sqliteMagic = 'SQLite format 3\0';
const headerLength = 100;
/** Where the header keeps the application id, big-endian. */
const applicationIdOffset = 68;

function checkProjectFile(file: string, create: boolean): void {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined) {
    if (!create) {
      throw new AppError(
        'not-found',
        `There is no project at ${file}. It may have been moved or renamed; open it from where it is now.`,
      );
    }
    checkFolder(path.dirname(file), file);
    return;
  }
  if (!stats.isFile()) throw new AppError('project-file', `${file} is not a file. Choose a file that ends in .winnow.`);
  // What a crash at the very start leaves behind; nothing can be lost in it.
  if (stats.size === 0 && create) return;
  if (!hasApplicationId(file)) {
    throw new AppError(
      'project-file',
      `${file} is not a Winnow project. It was left as it is; choose a file that Winnow made.`,
    );
  }
  try {
    accessSync(file, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw new AppError(
      'project-file',
      `${file} cannot be written. Copy the project to a place where you may write, and open the copy.`,
      {
        cause: error,
      },
    );
  }
}

function checkFolder(folder: string, file: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new AppError(
      'project-file',
      `The project cannot be written to ${file}: the folder ${folder} does not exist.`,
    );
  }
}

function hasApplicationId(file: string): boolean {
  const header = Buffer.alloc(headerLength);
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    throw new AppError('project-file', `${file} cannot be read: ${errorMessage(error)}`, { cause: error });
  }
  try {
    const length = readSync(descriptor, header, 0, headerLength, 0);
    if (length < headerLength) return false;
  } finally {
    closeSync(descriptor);
  }
  return (
    header.toString('latin1', 0, sqliteMagic.length) === sqliteMagic &&
    header.readInt32BE(applicationIdOffset) === applicationId
  );
}
