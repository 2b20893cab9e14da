import { rmSync } from 'node:fs';
import BetterSqlite3 from 'better-sqlite3';

/** Held by the one service that trains a project. */
export interface TrainingLock {
  release(): void;
}

/**
 * Takes the lock, or returns null if another service holds it. A lock of the operating system (through SQLite) on a file
 * beside the project: it ends with its process, however that dies, so a run that is marked as running while nobody holds
 * the lock was interrupted.
 */
export function takeTrainingLock(projectPath: string): TrainingLock | null {
  const file = `${projectPath}-training`;
  const db = new BetterSqlite3(file, { timeout: 0 });
  try {
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    if (error instanceof BetterSqlite3.SqliteError && error.code.startsWith('SQLITE_BUSY')) return null;
    throw error;
  }
  return {
    release: () => {
      if (!db.open) return;
      db.close();
      rmSync(file, { force: true });
    },
  };
}
