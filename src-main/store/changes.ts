import type BetterSqlite3 from 'better-sqlite3';
import type { SampleId } from '../../shared/domain.ts';

/** What a connection has changed since somebody last took note of it, also inside a transaction that goes on. */
export interface Changes {
  /** Samples whose decisions it has changed. */
  decided: Set<SampleId>;
  /** Whether it has changed samples, findings, the map, or what classes stand for. */
  others: boolean;
}

/**
 * Notes from now on what a connection changes. Triggers do it, of this connection alone and not in the file, so that whoever writes
 * need not think of it, and cannot forget it.
 */
export function watchChanges(db: BetterSqlite3.Database): void {
  const changes: Changes = { decided: new Set(), others: false };
  db.function('note_decision', (id) => {
    changes.decided.add(id as SampleId);
    return null;
  });
  db.function('note_change', () => {
    changes.others = true;
    return null;
  });
  for (const [name, event, note] of triggers) {
    db.exec(`CREATE TEMP TRIGGER ${name} AFTER ${event} BEGIN SELECT ${note}; END`);
  }
  changesByDatabase.set(db, changes);
}

export function changesOf(db: BetterSqlite3.Database): Changes {
  const changes = changesByDatabase.get(db);
  if (changes === undefined) throw new Error('This database was not opened by openDatabase.');
  return changes;
}

/** Whoever took note inside the transaction knows what has not happened. */
export function noteRollback(db: BetterSqlite3.Database): void {
  const changes = changesByDatabase.get(db);
  if (changes !== undefined) changes.others = true;
}

const changesByDatabase = new WeakMap<BetterSqlite3.Database, Changes>();

/** Findings are not watched row by row: they are only ever replaced together with their summary. */
const triggers = [
  ['review_made', 'INSERT ON main.review', 'note_decision(new.sample_id)'],
  ['review_changed', 'UPDATE ON main.review', 'note_decision(new.sample_id)'],
  ['review_removed', 'DELETE ON main.review', 'note_decision(old.sample_id)'],
  ['sample_made', 'INSERT ON main.sample', 'note_change()'],
  ['sample_changed', 'UPDATE ON main.sample', 'note_change()'],
  ['sample_removed', 'DELETE ON main.sample', 'note_change()'],
  ['findings_made', 'UPDATE OF findings_json ON main.run', 'note_change()'],
  ['run_removed', 'DELETE ON main.run', 'note_change()'],
  ['map_made', 'INSERT ON main.map', 'note_change()'],
  ['map_changed', 'UPDATE ON main.map', 'note_change()'],
  ['map_removed', 'DELETE ON main.map', 'note_change()'],
  ['class_merged', 'UPDATE OF merged_into ON main.class WHEN new.merged_into IS NOT old.merged_into', 'note_change()'],
] as const;
