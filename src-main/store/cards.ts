import type {
  ClassId,
  Finding,
  ReviewState,
  RunId,
  SampleCard,
  SampleDetail,
  SampleId,
  TargetHistory,
} from '../../shared/domain.ts';
import { AppError } from '../../shared/result.ts';
import { classResolver, type ResolveClass } from './classes.ts';
import { allRows, type Database } from './database.ts';
import { findingOf, findingsRunId, type FindingRow } from './findings.ts';
import { readTargetPath, type TargetPath } from './targets.ts';

/** Cards of the samples, in the order asked for; ids that the project does not have are left out. */
export function readSampleCards(db: Database, ids: readonly SampleId[]): SampleCard[] {
  const resolve = classResolver(db);
  return cardRows(db, ids, findingsRunId(db)).map((row) => cardOf(row, resolve));
}

/** Everything known about one sample. */
export function readSampleDetail(db: Database, id: SampleId): SampleDetail {
  const runId = findingsRunId(db);
  const [row] = cardRows(db, [id], runId);
  if (row === undefined) throw new AppError('not-found', `The project has no sample ${id}. Load the list again.`);
  const card = cardOf(row, classResolver(db));
  const path = runId === null ? null : mergeClasses(readTargetPath(db, runId, id), classResolver(db));
  return {
    ...card,
    width: row.width,
    height: row.height,
    byteSize: row.byte_size,
    format: row.format,
    decidedAt: row.decided_at,
    decidedBy: row.decided_by,
    topTargets: path === null ? [] : topTargets(path),
    history: path === null ? emptyHistory : targetHistory(path, card.givenClassId, card.finding),
    duplicateIds: allRows<{ id: SampleId }>(
      db,
      // The plus keeps SQLite to the index on content.
      'SELECT id FROM sample WHERE content_hash = ? AND +present = 1 AND id <> ? ORDER BY id',
      row.content_hash,
      id,
    ).map((duplicate) => duplicate.id),
  };
}

interface CardRow extends FindingRow {
  id: SampleId;
  path: string;
  content_hash: string;
  byte_size: number;
  width: number;
  height: number;
  format: string;
  given_class_id: ClassId;
  state: ReviewState;
  class_id: ClassId | null;
  decided_at: string | null;
  decided_by: string | null;
}

/** Enough of a content hash to tell versions of one file apart. */
const versionLength = 16;

const mostTopTargets = 5;

const emptyHistory: TargetHistory = { epochs: [], given: [], suggested: [], weight: [] };

/** By one statement for all of them: to begin one takes longer than to find a row. */
function cardRows(db: Database, ids: readonly SampleId[], runId: RunId | null): CardRow[] {
  return allRows(
    db,
    `SELECT sample.id, sample.path, content_hash, byte_size, width, height, format, given_class_id,
            coalesce(state, 'unreviewed') AS state, class_id, decided_at, decided_by, finding.*
       FROM json_each(?) AS chosen
       CROSS JOIN sample ON sample.id = chosen.value
       LEFT JOIN review ON review.sample_id = sample.id
       LEFT JOIN finding ON finding.run_id = ? AND finding.sample_id = sample.id
      ORDER BY chosen.id`,
    JSON.stringify(ids),
    runId,
  );
}

function cardOf(row: CardRow, resolve: ResolveClass): SampleCard {
  return {
    id: row.id,
    path: row.path,
    givenClassId: resolve(row.given_class_id),
    state: row.state,
    currentClassId: row.state === 'dropped' ? null : resolve(row.class_id ?? row.given_class_id),
    finding: findingOf(row, row.given_class_id, resolve),
    version: row.content_hash.slice(0, versionLength),
  };
}

/** Adds up the targets of classes that are one by now. */
function mergeClasses(path: TargetPath | null, resolve: ResolveClass): TargetPath | null {
  if (path === null) return null;
  const classIds = [...new Set(path.classIds.map(resolve))];
  if (classIds.length === path.classIds.length) return { ...path, classIds };
  const columns = path.classIds.map((id) => classIds.indexOf(resolve(id)));
  const merged = (targets: Float32Array): Float32Array => {
    const sums = new Float32Array(classIds.length);
    for (const [i, column] of columns.entries()) sums[column]! += targets[i]!;
    return sums;
  };
  return { classIds, epochs: path.epochs.map((epoch) => ({ ...epoch, targets: merged(epoch.targets) })) };
}

function topTargets({ classIds, epochs }: TargetPath): SampleDetail['topTargets'] {
  const targets = epochs.at(-1)?.targets ?? new Float32Array(0);
  return classIds
    .map((classId, column) => ({ classId, target: targets[column] ?? 0 }))
    .sort((a, b) => b.target - a.target)
    .slice(0, mostTopTargets);
}

/** Zero for a class that the run did not know. */
function targetHistory(
  { classIds, epochs }: TargetPath,
  givenClassId: ClassId,
  finding: Finding | null,
): TargetHistory {
  const given = classIds.indexOf(givenClassId);
  const suggested = finding === null ? -1 : classIds.indexOf(finding.suggestedClassId);
  return {
    epochs: epochs.map(({ epoch }) => epoch),
    given: epochs.map(({ targets }) => targets[given] ?? 0),
    suggested: epochs.map(({ targets }) => targets[suggested] ?? 0),
    weight: epochs.map(({ weight }) => weight),
  };
}
