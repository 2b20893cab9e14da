import type { ClassId } from '../../shared/domain.ts';
import { findOrCreateImportedClass, removeUnusedClasses } from './classes.ts';
import { firstRow, inTransaction, pages, statement, type Database } from './database.ts';
import { replaceProblems } from './problems.ts';
import { alignDecisions } from './reviews.ts';

/** How many samples an import found in each of these ways; they add up to the samples that are or were known. */
export interface ImportChanges {
  /** New, or back after having been gone. */
  added: number;
  /** Another content or another given label. */
  changed: number;
  /** The same content at a new path; its decisions went with it. */
  moved: number;
  gone: number;
  unchanged: number;
}

/**
 * Makes the project what an import has staged, in one transaction: new samples are added, known ones updated, missing ones
 * marked as gone, and a gone sample whose content appears at a new path follows it there, all with their decisions.
 * What is staged holds every usable image of the folder, also unchanged ones, with its label.
 */
export function applyImport(db: Database): ImportChanges {
  return inTransaction(db, () => {
    const ends = applyClasses(db);
    const { files, known, back, changed } = compare(db);
    const moved = applyMoves(db);
    let after = '';
    for (const end of ends) {
      applyFiles(db, after, end);
      after = end;
    }
    const gone = statement(
      db,
      `UPDATE sample SET present = 0
        WHERE present = 1 AND NOT EXISTS (SELECT 1 FROM staged_file WHERE staged_file.path = sample.path)`,
    ).run().changes;
    replaceProblems(db);
    alignDecisions(db);
    removeUnusedClasses(db);
    return { added: files - known - moved + back, changed, moved, gone, unchanged: known - back - changed };
  });
}

/** Finds or makes the class of every label, in order of the first path that has it. Answers at which paths a page of files ends. */
function applyClasses(db: Database): string[] {
  const ends: string[] = [];
  const classIds = new Map<string, ClassId>();
  const files = 'SELECT path, given_class FROM staged_file WHERE path > ? ORDER BY path';
  for (const page of pages<[string, string]>(db, files, { from: '' })) {
    for (const [, label] of page) {
      if (!classIds.has(label)) classIds.set(label, findOrCreateImportedClass(db, label));
    }
    const end = page.at(-1);
    if (end !== undefined) ends.push(end[0]);
  }
  statement(db, 'DELETE FROM staged_class').run();
  const insert = statement(db, 'INSERT INTO staged_class (label, class_id) VALUES (?, ?)');
  for (const entry of classIds) insert.run(...entry);
  return ends;
}

/** How many files there are, at known paths, at paths of gone samples, and at those of present ones with other content or label. */
function compare(db: Database): { files: number; known: number; back: number; changed: number } {
  return firstRow(
    db,
    `SELECT count(*) AS files, count(sample.id) AS known, count(*) FILTER (WHERE present = 0) AS back,
            count(*) FILTER (WHERE present = 1 AND (sample.content_hash, given_class_id) IS NOT (staged_file.content_hash, class_id))
              AS changed
       FROM staged_file
       JOIN staged_class ON label = given_class
       LEFT JOIN sample ON sample.path = staged_file.path`,
  )!;
}

/**
 * Lets missing samples follow their content to new paths, and answers how many did. Among several candidates the file name decides; what
 * it leaves open is given to the first new path only if a single missing sample is left, as anything else would be a guess.
 */
function applyMoves(db: Database): number {
  for (const step of [
    'DELETE FROM staged_candidate',
    'DELETE FROM staged_move',
    `INSERT INTO staged_candidate (path, content_hash, sample_id)
     SELECT path, content_hash, id FROM sample
      WHERE NOT EXISTS (SELECT 1 FROM staged_file WHERE staged_file.path = sample.path)`,
    `INSERT INTO staged_candidate (path, content_hash)
     SELECT path, content_hash FROM staged_file
      WHERE content_hash IN (SELECT content_hash FROM staged_candidate)
        AND NOT EXISTS (SELECT 1 FROM sample WHERE sample.path = staged_file.path)`,
    `INSERT INTO staged_move (sample_id, path) ${onlySampleAndFirstPath('content_hash, file_name')}`,
    `DELETE FROM staged_candidate
      WHERE path IN (SELECT path FROM staged_move) OR sample_id IN (SELECT sample_id FROM staged_move)`,
    `INSERT INTO staged_move (sample_id, path) ${onlySampleAndFirstPath('content_hash')}`,
  ])
    statement(db, step).run();
  return statement(
    db,
    `UPDATE sample SET path = (SELECT path FROM staged_move WHERE sample_id = sample.id)
      WHERE id IN (SELECT sample_id FROM staged_move)`,
  ).run().changes;
}

function onlySampleAndFirstPath(group: string): string {
  return `SELECT max(sample_id), min(path) FILTER (WHERE sample_id IS NULL) FROM staged_candidate
           GROUP BY ${group} HAVING count(sample_id) = 1 AND count(*) > 1`;
}

/** Adds or updates the samples of the files from after one path to another. Page by page, because SQLite copies what it is to insert. */
function applyFiles(db: Database, after: string, end: string): void {
  const columns = [
    'content_hash',
    'byte_size',
    'modified_ms',
    'width',
    'height',
    'format',
    'given_class_id',
    'present',
  ];
  const list = columns.join(', ');
  const inserted = columns.map((column) => `excluded.${column}`).join(', ');
  statement(
    db,
    `INSERT INTO sample (path, ${list})
     SELECT path, content_hash, byte_size, modified_ms, width, height, format, class_id, 1
       FROM staged_file JOIN staged_class ON label = given_class
      WHERE path > ? AND path <= ?
      ORDER BY path
         ON CONFLICT (path) DO UPDATE SET (${list}) = (${inserted}) WHERE (${list}) IS NOT (${inserted})`,
  ).run(after, end);
}
