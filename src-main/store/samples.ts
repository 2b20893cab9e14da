import type { ClassId, Finding, ReviewState, RunId, SampleId } from '../../shared/domain.ts';
import { classNames, classResolver } from './classes.ts';
import { allRows, firstRow, numberOf, type Database } from './database.ts';
import { findingOf, findingsRunId, type FindingRow } from './findings.ts';

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
  const { runId, toSample } = exportReader(db);
  let last = '';
  for (;;) {
    const rows: ExportRow[] = allRows<ExportRow>(
      db,
      `${exportRows} AND path > ? ORDER BY path LIMIT ?`,
      runId,
      last,
      exportPageLength,
    );
    yield* rows.map(toSample);
    const end = rows.at(-1);
    if (end === undefined || rows.length < exportPageLength) return;
    last = end.path;
  }
}

/** Those of the paths that are a present sample's, in any order. */
export function exportSamplesAt(db: Database, paths: readonly string[]): ExportSample[] {
  const { runId, toSample } = exportReader(db);
  const wanted = 'AND path IN (SELECT value FROM json_each(?))';
  return allRows<ExportRow>(db, `${exportRows} ${wanted}`, runId, JSON.stringify(paths)).map(toSample);
}

/** As SQL; its parameter is the run of the findings. The plus keeps SQLite to the index on path, which gives the order. */
const exportRows = `
  SELECT sample.id, path, given_class_id, coalesce(state, 'unreviewed') AS state, class_id, decided_at, finding.*
    FROM sample
    LEFT JOIN review ON review.sample_id = sample.id
    LEFT JOIN finding ON finding.run_id = ? AND finding.sample_id = sample.id
   WHERE +present = 1`;

function exportReader(db: Database): { runId: RunId | null; toSample: (row: ExportRow) => ExportSample } {
  const names = classNames(db);
  const nameOf = (id: ClassId): string => names.get(id) ?? '';
  const resolve = classResolver(db);
  const toSample = (row: ExportRow): ExportSample => ({
    id: row.id,
    path: row.path,
    givenClass: nameOf(row.given_class_id),
    currentClass: row.state === 'dropped' ? null : nameOf(row.class_id ?? row.given_class_id),
    state: row.state,
    decidedAt: row.decided_at,
    finding: findingOf(row, row.given_class_id, resolve),
  });
  return { runId: findingsRunId(db), toSample };
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
