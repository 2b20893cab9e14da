import type { ClassId, Finding, FindingsSummary, RunId, SampleId } from '../../shared/domain.ts';
import { classResolver, isSettledByMerge, type ResolveClass } from './classes.ts';
import { firstRow, inSnapshot, numberOf, pages, statement, type Database } from './database.ts';

/** Columns of a finding; all null where a join found none. */
export interface FindingRow {
  sample_id: SampleId | null;
  score: number;
  suggested_class_id: ClassId;
  weight: number;
  given_target: number;
  suggested_target: number;
  flip_epoch: number | null;
  flagged: 0 | 1;
  abstention: number | null;
}

/** The newest run that has findings: a run that has just started does not hide those of the run before. Null if none has. */
export function findingsRunId(db: Database): RunId | null {
  return (
    firstRow<{ id: RunId }>(db, 'SELECT id FROM run WHERE findings_json IS NOT NULL ORDER BY id DESC LIMIT 1')?.id ??
    null
  );
}

/** The explained numbers of the newest run that has findings. */
export function readFindingsSummary(db: Database): FindingsSummary | null {
  const row = firstRow<{ findings_json: string }>(
    db,
    'SELECT findings_json FROM run WHERE findings_json IS NOT NULL ORDER BY id DESC LIMIT 1',
  );
  return row === null ? null : (JSON.parse(row.findings_json) as FindingsSummary);
}

/** A finding as triage weighs it. */
export interface JudgedRow {
  score: number;
  /** v at the suggestion where it differs from the label that was trained; else null. */
  rivalVote: number | null;
}

/** The findings of present samples of a run, by id of the sample. */
export function readJudgedLabels(db: Database, runId: RunId): JudgedRow[] {
  const resolve = classResolver(db);
  const judged: JudgedRow[] = [];
  for (const page of pages<
    [SampleId, score: number, vote: number, suggested: ClassId, trained: ClassId, given: ClassId]
  >(
    db,
    `SELECT finding.sample_id, score, suggested_target, suggested_class_id, class_id, given_class_id
       FROM finding
       JOIN run_sample ON run_sample.run_id = finding.run_id AND run_sample.sample_id = finding.sample_id
       JOIN sample ON sample.id = finding.sample_id
      WHERE finding.run_id = ? AND present = 1 AND finding.sample_id > ?
      ORDER BY finding.sample_id`,
    { values: [runId] },
  )) {
    for (const [, score, vote, suggested, trained, given] of page) {
      judged.push({
        score: isSettledByMerge(given, suggested, resolve) ? 0 : score,
        rivalVote: resolve(suggested) === resolve(trained) ? null : vote,
      });
    }
  }
  return judged;
}

/** The `flipEpoch` of every sample of a run, in the order of its targets, −1 where there is none; null while it has no findings. */
export function readFlipEpochs(db: Database, runId: RunId): Int32Array | null {
  return inSnapshot(db, () => {
    if (firstRow(db, 'SELECT 1 FROM finding WHERE run_id = ? LIMIT 1', runId) === null) return null;
    const samples = numberOf(db, 'SELECT count(*) AS value FROM run_sample WHERE run_id = ?', runId);
    const flipEpochs = new Int32Array(samples).fill(-1);
    for (const page of pages<[position: number, flipEpoch: number]>(
      db,
      `SELECT position, flip_epoch
         FROM run_sample JOIN finding USING (run_id, sample_id)
        WHERE run_id = ? AND flip_epoch IS NOT NULL AND position > ? ORDER BY position`,
      { values: [runId], from: -1 },
    )) {
      for (const [position, flipEpoch] of page) flipEpochs[position] = flipEpoch;
    }
    return flipEpochs;
  });
}

/** Part of an epoch's transaction: what the run believes now takes the place of what it believed before. */
export function replaceFindings(
  db: Database,
  { runId, findings, summary }: { runId: RunId; findings: Iterable<Finding>; summary: FindingsSummary },
): void {
  statement(db, 'DELETE FROM finding WHERE run_id = ?').run(runId);
  const insert = statement(
    db,
    `INSERT INTO finding (run_id, sample_id, score, suggested_class_id, weight, given_target, suggested_target, flip_epoch, flagged, abstention)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  for (const finding of findings) {
    insert.run(
      runId,
      finding.sampleId,
      finding.score,
      finding.suggestedClassId,
      finding.weight,
      finding.givenTarget,
      finding.suggestedTarget,
      finding.flipEpoch,
      finding.flagged ? 1 : 0,
      finding.abstention,
    );
  }
  statement(db, 'UPDATE run SET findings_json = ? WHERE id = ?').run(JSON.stringify(summary), runId);
}

/** The finding of a sample with this given label, as merges since have left it. */
export function findingOf(row: FindingRow, given: ClassId, resolve: ResolveClass): Finding | null {
  if (row.sample_id === null) return null;
  const settled = isSettledByMerge(given, row.suggested_class_id, resolve);
  return {
    sampleId: row.sample_id,
    suggestedClassId: resolve(row.suggested_class_id),
    score: settled ? 0 : row.score,
    weight: row.weight,
    givenTarget: row.given_target,
    suggestedTarget: row.suggested_target,
    flipEpoch: row.flip_epoch,
    flagged: row.flagged === 1 && !settled,
    abstention: row.abstention,
  };
}
