import type { Problem } from '../../shared/domain.ts';
import { allRows, numberOf, statement, type Database } from './database.ts';

/** Files and rows that could not be used, as the latest import found them; errors before warnings, in order of path. */
export function listProblems(db: Database, { offset, limit }: { offset: number; limit: number }): Problem[] {
  return allRows<Problem>(
    db,
    "SELECT path, kind, reason, severity FROM problem ORDER BY severity = 'warning', path, id LIMIT ? OFFSET ?",
    limit,
    offset,
  );
}

export function countProblems(db: Database): number {
  return numberOf(db, 'SELECT count(*) AS value FROM problem');
}

/** Part of an import's transaction: the list always describes the latest import. What was found first in a path comes first. */
export function replaceProblems(db: Database): void {
  statement(db, 'DELETE FROM problem').run();
  statement(
    db,
    `INSERT INTO problem (path, kind, reason, severity)
     SELECT path, kind, reason, severity FROM staged_problem ORDER BY path, id`,
  ).run();
}
