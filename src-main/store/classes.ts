import type { ClassId, ClassSummary, SampleId } from '../../shared/domain.ts';
import { allRows, firstRow, statement, type Database } from './database.ts';

/*
 * A merge makes a class an alias of another, and touches nothing that names it: samples, decisions and runs keep the id that they
 * have, and whoever reads one asks what class it stands for (ADR 8).
 */

/** The class that a class stands for now: itself, or the one that it was merged into. */
export type ResolveClass = (id: ClassId) => ClassId;

/** The classes that people see, by name, with how many present samples each has and a few of them. */
export function listClasses(db: Database): ClassSummary[] {
  const { given, current } = countSamplesByClass(db);
  const classes = allRows<LiveClassRow>(db, `SELECT id, name, color, hotkey FROM class WHERE ${isLive}`);
  const collator = new Intl.Collator('en', { numeric: true });
  const examples = exampleIds(
    db,
    classes.map(({ id }) => id),
  );
  return classes
    .sort((a, b) => collator.compare(a.name, b.name) || a.id - b.id)
    .map((row) => ({
      ...row,
      count: given.get(row.id) ?? 0,
      currentCount: current.get(row.id) ?? 0,
      exampleIds: examples.get(row.id) ?? [],
    }));
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
  return (id) => merged.get(id) ?? id;
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

interface LiveClassRow {
  id: ClassId;
  name: string;
  color: string | null;
  hotkey: string | null;
}

interface ClassCount {
  class_id: ClassId;
  samples: number;
}

/** Of the classes that people see. */
const isLive = 'removed = 0 AND merged_into IS NULL';

/** Samples shown as examples of a class. */
const examplesPerClass = 6;

/** How many present samples each class has, by their given labels and by their labels after all decisions. */
function countSamplesByClass(db: Database): { given: Map<ClassId, number>; current: Map<ClassId, number> } {
  const resolve = classResolver(db);
  const given = new Map<ClassId, number>();
  const current = new Map<ClassId, number>();
  const add = (counts: Map<ClassId, number>, { class_id: id, samples }: ClassCount, sign: 1 | -1): void => {
    counts.set(resolve(id), (counts.get(resolve(id)) ?? 0) + sign * samples);
  };
  for (const row of allRows<ClassCount>(
    db,
    'SELECT given_class_id AS class_id, count(*) AS samples FROM sample WHERE present = 1 GROUP BY given_class_id',
  )) {
    add(given, row, 1);
    add(current, row, 1);
  }
  // From the few that have left their class: to count all samples by their labels would take much longer.
  for (const { given_class_id, class_id, samples } of allRows<{
    given_class_id: ClassId;
    class_id: ClassId | null;
    samples: number;
  }>(
    db,
    `SELECT given_class_id, class_id, count(*) AS samples
       FROM review CROSS JOIN sample ON sample.id = sample_id
      WHERE state IN ('relabeled', 'dropped') AND present = 1
      GROUP BY given_class_id, class_id`,
  )) {
    add(current, { class_id: given_class_id, samples }, -1);
    if (class_id !== null) add(current, { class_id, samples }, 1);
  }
  return { given, current };
}

/** The first samples that were given each class, or one merged into it; where there are none, those that were relabeled to it. */
function exampleIds(db: Database, classIds: readonly ClassId[]): Map<ClassId, SampleId[]> {
  const examples = new Map<ClassId, SampleId[]>(classIds.map((id) => [id, []]));
  const merged = readMergedClasses(db);
  for (const id of [...classIds, ...merged.keys()]) {
    const given = allRows<{ id: SampleId }>(
      db,
      'SELECT id FROM sample WHERE given_class_id = ? AND present = 1 ORDER BY id LIMIT ?',
      id,
      examplesPerClass,
    );
    examples.get(merged.get(id) ?? id)?.push(...given.map((row) => row.id));
  }
  const withoutGiven = classIds.filter((id) => examples.get(id)?.length === 0);
  if (withoutGiven.length > 0) {
    const relabeled = allRows<{ class_id: ClassId; sample_id: SampleId }>(
      db,
      `SELECT class_id, sample_id
         FROM (SELECT class_id, sample_id, row_number() OVER (PARTITION BY class_id ORDER BY sample_id) AS place
                 FROM review CROSS JOIN sample ON sample.id = sample_id
                WHERE state = 'relabeled' AND present = 1 AND class_id IN (SELECT value FROM json_each(?)))
        WHERE place <= ?`,
      JSON.stringify(withoutGiven),
      examplesPerClass,
    );
    for (const row of relabeled) examples.get(row.class_id)?.push(row.sample_id);
  }
  for (const [id, ids] of examples) {
    examples.set(id, ids.sort((a, b) => a - b).slice(0, examplesPerClass));
  }
  return examples;
}
