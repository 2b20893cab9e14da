import type { ClassId } from '../../shared/domain.ts';
import { allRows, firstRow, statement, type Database } from './database.ts';

/*
 * A merge makes a class an alias of another, and touches nothing that names it: samples, decisions and runs keep the id that they
 * have, and whoever reads one asks what class it stands for (ADR 8).
 */

/** A class that people see. */
export interface LiveClass {
  id: ClassId;
  name: string;
  color: string | null;
  hotkey: string | null;
}

/** The class that a class stands for now: itself, or the one that it was merged into. */
export type ResolveClass = (id: ClassId) => ClassId;

/** The classes that people see, by id. */
export function liveClasses(db: Database): LiveClass[] {
  return allRows<LiveClass>(db, `SELECT id, name, color, hotkey FROM class WHERE ${isLive} ORDER BY id`);
}

/** What every class is called; a merged one as the class that it stands for. */
export function classNames(db: Database): Map<ClassId, string> {
  return new Map(
    allRows<{ id: ClassId; name: string }>(
      db,
      'SELECT class.id, seen.name FROM class JOIN class AS seen ON seen.id = coalesce(class.merged_into, class.id)',
    ).map((row) => [row.id, row.name]),
  );
}

/** Ids of the classes that people see. */
export function readClassIds(db: Database): ClassId[] {
  return allRows<{ id: ClassId }>(db, `SELECT id FROM class WHERE ${isLive} ORDER BY id`).map((row) => row.id);
}

/** For each class that was merged into another: the class that it stands for now, which is not merged itself. */
export function readMergedClasses(db: Database): ReadonlyMap<ClassId, ClassId> {
  return new Map(
    allRows<{ id: ClassId; merged_into: ClassId }>(
      db,
      'SELECT id, merged_into FROM class WHERE merged_into IS NOT NULL',
    ).map((row) => [row.id, row.merged_into]),
  );
}

export function classResolver(db: Database): ResolveClass {
  const merged = readMergedClasses(db);
  // Asked for every row of a project, most of which have merged nothing.
  return merged.size === 0 ? (id) => id : (id) => merged.get(id) ?? id;
}

/** As SQL: the class that the class of this expression stands for. */
export function standsFor(classId: string): string {
  return `(SELECT coalesce(merged_into, id) FROM class WHERE id = ${classId})`;
}

/** Whether a doubt was between two classes that are one by now: then the model agrees, and the finding is no doubt any more. */
export function isSettledByMerge(given: ClassId, suggested: ClassId, resolve: ResolveClass): boolean {
  return given !== suggested && resolve(given) === resolve(suggested);
}

/** What labels of the imported folder or file are called now, where that is another name. */
export function renamedLabels(db: Database): ReadonlyMap<string, string> {
  return new Map(
    allRows<{ source_name: string; name: string }>(
      db,
      `SELECT class.source_name, seen.name
         FROM class JOIN class AS seen ON seen.id = coalesce(class.merged_into, class.id)
        WHERE class.source_name <> seen.name`,
    ).map((row) => [row.source_name, row.name]),
  );
}

/** A class that people see, by the id of it or of one that was merged into it; null if there is none. */
export function findClass(db: Database, id: ClassId): { id: ClassId; name: string } | null {
  return firstRow(db, `SELECT id, name FROM class WHERE id = ${standsFor('?')} AND ${isLive}`, id);
}

export function findClassByName(db: Database, name: string): ClassId | null {
  return firstRow<{ id: ClassId }>(db, `SELECT id FROM class WHERE name = ? AND ${isLive}`, name)?.id ?? null;
}

/** The class of a label of the imported folder or file, however people have renamed or merged it since; made if there is none. */
export function findOrCreateImportedClass(db: Database, label: string): ClassId {
  const known = firstRow<{ id: ClassId }>(db, 'SELECT id FROM class WHERE source_name = ?', label);
  if (known !== null) return known.id;
  // Made by hand, or taken back, before the label came: the label names it from now on.
  const named = firstRow<{ id: ClassId }>(
    db,
    'SELECT id FROM class WHERE name = ? ORDER BY removed, merged_into IS NOT NULL, id LIMIT 1',
    label,
  );
  if (named === null) {
    return Number(
      statement(db, 'INSERT INTO class (name, source_name) VALUES (?, ?)').run(label, label).lastInsertRowid,
    );
  }
  statement(db, 'UPDATE class SET removed = 0, source_name = coalesce(source_name, ?) WHERE id = ?').run(
    label,
    named.id,
  );
  return named.id;
}

/** Removes classes that no sample, decision, run or edit names, such as those of a labels column that was chosen by mistake. */
export function removeUnusedClasses(db: Database): void {
  // One indexed or small lookup per class and table; decisions are read once each.
  statement(
    db,
    `DELETE FROM class WHERE id NOT IN (
       SELECT given_class_id FROM sample
       UNION SELECT class_id FROM review WHERE class_id IS NOT NULL
       UNION SELECT before_class_id FROM action_change WHERE before_class_id IS NOT NULL
       UNION SELECT after_class_id FROM action_change WHERE after_class_id IS NOT NULL
       UNION SELECT class_id FROM run_class
       UNION SELECT class_id FROM action_class)`,
  ).run();
}

/** Of the classes that people see. */
const isLive = 'removed = 0 AND merged_into IS NULL';
