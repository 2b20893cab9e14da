import type { ClassId, Finding, Problem, ReviewState, SampleId } from '../../shared/domain.ts';
import { classNames, classResolver, findOrCreateImportedClass, removeUnusedClasses } from './classes.ts';
import { allRows, firstRow, inTransaction, numberOf, statement, type Database } from './database.ts';
import { findingOf, findingsRunId, type FindingRow } from './findings.ts';
import { replaceProblems } from './problems.ts';
import { alignDecisions } from './reviews.ts';

/** What the latest import knew of a file, so that the next one reads again only what may have changed. */
export interface KnownSample {
  id: SampleId;
  contentHash: string;
  byteSize: number;
  modifiedMs: number;
  width: number;
  height: number;
  format: string;
  /** The class that its label was when it was imported, even if that was merged into another since. */
  givenClassId: ClassId;
  present: boolean;
}

/** A usable image as an import found it. */
export interface ScannedSample {
  /** Relative to the image folder, `/` separated. */
  path: string;
  contentHash: string;
  byteSize: number;
  modifiedMs: number;
  width: number;
  height: number;
  format: string;
  /** The label that the folder or file gives. */
  givenClass: string;
}

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

export interface SampleFile {
  id: SampleId;
  path: string;
  contentHash: string;
  format: string;
}

export interface ExportSample {
  id: SampleId;
  path: string;
  givenClass: string;
  /** The label after the decisions; null when the sample was dropped. */
  currentClass: string | null;
  state: ReviewState;
  decidedAt: string | null;
  finding: Finding | null;
}

/** Every known sample by its path, also those that are gone. */
export function knownSamplesByPath(db: Database): Map<string, KnownSample> {
  const rows = allRows<KnownSampleRow>(
    db,
    `SELECT sample.id, path, content_hash, byte_size, modified_ms, width, height, format, given_class_id, present
       FROM sample`,
  );
  return new Map(
    rows.map((row) => [
      row.path,
      {
        id: row.id,
        contentHash: row.content_hash,
        byteSize: row.byte_size,
        modifiedMs: row.modified_ms,
        width: row.width,
        height: row.height,
        format: row.format,
        givenClassId: row.given_class_id,
        present: row.present === 1,
      },
    ]),
  );
}

/**
 * Makes the project what an import found, in one transaction: new samples are added, known ones updated, missing ones
 * marked as gone, and a gone sample whose content appears at a new path follows it there, all with their decisions.
 * `scanned` holds every usable image of the folder, also unchanged ones.
 */
export function applyImport(
  db: Database,
  { scanned, problems }: { scanned: readonly ScannedSample[]; problems: readonly Problem[] },
): ImportChanges {
  return inTransaction(db, () => {
    const changes: ImportChanges = { added: 0, changed: 0, moved: 0, gone: 0, unchanged: 0 };
    const known = knownSamplesByPath(db);
    const classIds = new Map<string, ClassId>();
    const classId = (name: string): ClassId => {
      const id = classIds.get(name) ?? findOrCreateImportedClass(db, name);
      classIds.set(name, id);
      return id;
    };
    const added: ScannedSample[] = [];
    const missing = new Map(known);
    for (const sample of scanned) {
      const before = known.get(sample.path);
      if (before === undefined) {
        added.push(sample);
        continue;
      }
      missing.delete(sample.path);
      const givenClassId = classId(sample.givenClass);
      if (!before.present) changes.added++;
      else if (before.contentHash !== sample.contentHash || before.givenClassId !== givenClassId) changes.changed++;
      else changes.unchanged++;
      if (!isSame(before, sample, givenClassId)) updateSample(db, before.id, sample, givenClassId);
    }
    const moves = findMoves(added, missing);
    for (const sample of added) {
      const from = moves.get(sample.path);
      if (from === undefined) {
        insertSample(db, sample, classId(sample.givenClass));
        changes.added++;
      } else {
        updateSample(db, from.id, sample, classId(sample.givenClass));
        missing.delete(from.path);
        changes.moved++;
      }
    }
    const markGone = statement(db, 'UPDATE sample SET present = 0 WHERE id = ?');
    for (const sample of missing.values()) {
      if (!sample.present) continue;
      markGone.run(sample.id);
      changes.gone++;
    }
    replaceProblems(db, problems);
    alignDecisions(db);
    removeUnusedClasses(db);
    return changes;
  });
}

/** Present and gone samples. */
export function countSamples(db: Database): { present: number; gone: number } {
  return {
    present: numberOf(db, 'SELECT count(*) AS value FROM sample WHERE present = 1'),
    gone: numberOf(db, 'SELECT count(*) AS value FROM sample WHERE present = 0'),
  };
}

/** Where a sample's image lies; null if the project has no such sample. */
export function sampleFile(db: Database, id: SampleId): SampleFile | null {
  const row = firstRow<{ path: string; content_hash: string; format: string }>(
    db,
    'SELECT path, content_hash, format FROM sample WHERE id = ?',
    id,
  );
  return row === null ? null : { id, path: row.path, contentHash: row.content_hash, format: row.format };
}

/** Median of the shorter sides of the present samples, in pixels; 0 if there are none. */
export function medianSide(db: Database): number {
  return numberOf(db, 'SELECT median(min(width, height)) AS value FROM sample WHERE present = 1');
}

/** A few present samples spread over the project, to try whether a folder holds its images. */
export function samplePaths(db: Database, limit: number): string[] {
  const step = Math.max(1, Math.floor(countSamples(db).present / limit));
  return allRows<{ path: string }>(
    db,
    'SELECT path FROM sample WHERE present = 1 AND id % ? = 0 LIMIT ?',
    step,
    limit,
  ).map((row) => row.path);
}

/** Pairs of present files with the very same bytes but different given labels. */
export function countConflictingDuplicates(db: Database): number {
  return numberOf(
    db,
    `SELECT coalesce(sum(pairs), 0) AS value FROM (
       SELECT (sum(samples) * sum(samples) - sum(samples * samples)) / 2 AS pairs FROM (
         SELECT content_hash, count(*) AS samples FROM sample WHERE present = 1 GROUP BY content_hash, given_class_id)
       GROUP BY content_hash)`,
  );
}

/**
 * Present samples with their labels after the decisions, in order of path. Read a page at a time, so that the connection
 * stays free for other calls between two of them.
 */
export function* exportSamples(db: Database): Generator<ExportSample> {
  const runId = findingsRunId(db);
  const names = classNames(db);
  const nameOf = (id: ClassId): string => names.get(id) ?? '';
  const resolve = classResolver(db);
  // The plus keeps SQLite to the index on path, which gives the order.
  let last = '';
  for (;;) {
    const rows: ExportRow[] = allRows<ExportRow>(
      db,
      `SELECT sample.id, path, given_class_id, coalesce(state, 'unreviewed') AS state, class_id, decided_at, finding.*
         FROM sample
         LEFT JOIN review ON review.sample_id = sample.id
         LEFT JOIN finding ON finding.run_id = ? AND finding.sample_id = sample.id
        WHERE +present = 1 AND path > ?
        ORDER BY path LIMIT ?`,
      runId,
      last,
      exportPageLength,
    );
    for (const row of rows) {
      yield {
        id: row.id,
        path: row.path,
        givenClass: nameOf(row.given_class_id),
        currentClass: row.state === 'dropped' ? null : nameOf(row.class_id ?? row.given_class_id),
        state: row.state,
        decidedAt: row.decided_at,
        finding: findingOf(row, row.given_class_id, resolve),
      };
    }
    const end = rows.at(-1);
    if (end === undefined || rows.length < exportPageLength) return;
    last = end.path;
  }
}

interface KnownSampleRow {
  id: SampleId;
  path: string;
  content_hash: string;
  byte_size: number;
  modified_ms: number;
  width: number;
  height: number;
  format: string;
  given_class_id: ClassId;
  present: 0 | 1;
}

interface ExportRow extends FindingRow {
  id: SampleId;
  path: string;
  given_class_id: ClassId;
  state: ReviewState;
  class_id: ClassId | null;
  decided_at: string | null;
}

const exportPageLength = 2000;

function insertSample(db: Database, sample: ScannedSample, classId: ClassId): void {
  statement(
    db,
    `INSERT INTO sample (path, content_hash, byte_size, modified_ms, width, height, format, given_class_id)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    sample.path,
    sample.contentHash,
    sample.byteSize,
    sample.modifiedMs,
    sample.width,
    sample.height,
    sample.format,
    classId,
  );
}

function updateSample(db: Database, id: SampleId, sample: ScannedSample, classId: ClassId): void {
  statement(
    db,
    `UPDATE sample SET path = ?, content_hash = ?, byte_size = ?, modified_ms = ?, width = ?, height = ?, format = ?,
            given_class_id = ?, present = 1 WHERE id = ?`,
  ).run(
    sample.path,
    sample.contentHash,
    sample.byteSize,
    sample.modifiedMs,
    sample.width,
    sample.height,
    sample.format,
    classId,
    id,
  );
}

function isSame(before: KnownSample, sample: ScannedSample, givenClassId: ClassId): boolean {
  return (
    before.present &&
    before.contentHash === sample.contentHash &&
    before.byteSize === sample.byteSize &&
    before.modifiedMs === sample.modifiedMs &&
    before.width === sample.width &&
    before.height === sample.height &&
    before.format === sample.format &&
    before.givenClassId === givenClassId
  );
}

/**
 * New paths that take over a missing sample of the same content. Among several candidates the file name decides; what it
 * leaves open is given to the first new path only if a single missing sample is left, as anything else would be a guess.
 */
function findMoves(
  added: readonly ScannedSample[],
  missing: ReadonlyMap<string, KnownSample>,
): Map<string, { id: SampleId; path: string }> {
  const moves = new Map<string, { id: SampleId; path: string }>();
  const missingByHash = Map.groupBy(missing, ([, { contentHash }]) => contentHash);
  const addedByHash = Map.groupBy(added, ({ contentHash }) => contentHash);
  for (const [contentHash, candidates] of addedByHash) {
    const sources = new Map((missingByHash.get(contentHash) ?? []).map(([path, { id }]) => [path, { id, path }]));
    for (const { path } of candidates) {
      const sameName = [...sources.values()].filter((source) => fileName(source.path) === fileName(path));
      const source = sameName[0];
      if (source === undefined || sameName.length > 1) continue;
      moves.set(path, source);
      sources.delete(source.path);
    }
    const [last] = sources.values();
    const target = candidates.find(({ path }) => !moves.has(path));
    if (last !== undefined && sources.size === 1 && target !== undefined) moves.set(target.path, last);
  }
  return moves;
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
