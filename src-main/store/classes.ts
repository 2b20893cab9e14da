import type { ClassId, ClassSummary, SampleId } from '../../shared/domain.ts';
import { allRows, firstRow, statement, type Database } from './database.ts';

/** Samples shown as examples of a class. */
const examplesPerClass = 6;

/** All classes by name, with how many present samples have them as given label and a few of those samples. */
export function listClasses(db: Database): ClassSummary[] {
  const counts = new Map(
    allRows<{ class_id: ClassId; samples: number }>(
      db,
      'SELECT given_class_id AS class_id, count(*) AS samples FROM sample WHERE present = 1 GROUP BY given_class_id',
    ).map((row) => [row.class_id, row.samples]),
  );
  const collator = new Intl.Collator('en', { numeric: true });
  return allRows<{ id: ClassId; name: string }>(db, 'SELECT id, name FROM class')
    .sort((a, b) => collator.compare(a.name, b.name) || a.id - b.id)
    .map(({ id, name }) => ({
      id,
      name,
      count: counts.get(id) ?? 0,
      currentCount: counts.get(id) ?? 0,
      color: null,
      hotkey: null,
      exampleIds: exampleIds(db, id),
    }));
}

/** Name of every class. */
export function classNames(db: Database): Map<ClassId, string> {
  return new Map(
    allRows<{ id: ClassId; name: string }>(db, 'SELECT id, name FROM class').map((row) => [row.id, row.name]),
  );
}

/** The classes that stand for themselves. */
export function readClassIds(db: Database): ClassId[] {
  return allRows<{ id: ClassId }>(db, 'SELECT id FROM class WHERE merged_into IS NULL AND removed = 0 ORDER BY id').map(
    (row) => row.id,
  );
}

/** For each class that was merged into another: the class that it stands for now, which is not merged itself. */
export function readMergedClasses(_db: Database): ReadonlyMap<ClassId, ClassId> {
  return new Map();
}

export function classNameById(db: Database, id: ClassId): string | null {
  return firstRow<{ name: string }>(db, 'SELECT name FROM class WHERE id = ?', id)?.name ?? null;
}

/** The class of that exact name, made if there is none. */
export function findOrCreateClass(db: Database, name: string): { id: ClassId; created: boolean } {
  const known = firstRow<{ id: ClassId }>(db, 'SELECT id FROM class WHERE name = ?', name);
  if (known !== null) return { id: known.id, created: false };
  return {
    id: Number(statement(db, 'INSERT INTO class (name, source_name) VALUES (?, ?)').run(name, name).lastInsertRowid),
    created: true,
  };
}

/** Removes classes that no sample, decision or run names, such as those of a labels column that was chosen by mistake. */
export function removeUnusedClasses(db: Database): void {
  // One indexed or small lookup per class and table; decisions are read once each.
  statement(
    db,
    `DELETE FROM class WHERE id NOT IN (
       SELECT given_class_id FROM sample
       UNION SELECT class_id FROM review WHERE class_id IS NOT NULL
       UNION SELECT before_class_id FROM action_change WHERE before_class_id IS NOT NULL
       UNION SELECT after_class_id FROM action_change WHERE after_class_id IS NOT NULL
       UNION SELECT class_id FROM run_class)`,
  ).run();
}

function exampleIds(db: Database, classId: ClassId): SampleId[] {
  return allRows<{ id: SampleId }>(
    db,
    'SELECT id FROM sample WHERE given_class_id = ? AND present = 1 ORDER BY id LIMIT ?',
    classId,
    examplesPerClass,
  ).map((row) => row.id);
}
