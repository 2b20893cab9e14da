import type {
  ClassId,
  EpochReport,
  RunId,
  RunStatus,
  RunSummary,
  SampleId,
  TrainingPlan,
} from '../../shared/domain.ts';
import { classResolver } from './classes.ts';
import { allRows, firstRow, inTransaction, statement, type Database } from './database.ts';

/** A sample as a run would train it. */
export interface TrainingSample {
  id: SampleId;
  path: string;
  contentHash: string;
  /** The label after the decisions; of merged classes, the one that they are now. */
  classId: ClassId;
}

export interface NewRun {
  plan: TrainingPlan;
  /** Class of each index of the targets. */
  classIds: readonly ClassId[];
  /** In the order of the rows of the targets. */
  samples: readonly { id: SampleId; classId: ClassId }[];
  startedAt: string;
}

/** The samples to train on, by id: relabeled ones with their new label, without those that were dropped or are gone. */
export function trainingSamples(db: Database): TrainingSample[] {
  const resolve = classResolver(db);
  return allRows<{ id: SampleId; path: string; content_hash: string; class_id: ClassId }>(
    db,
    `SELECT sample.id, path, content_hash, coalesce(review.class_id, given_class_id) AS class_id
       FROM sample LEFT JOIN review ON review.sample_id = sample.id
      WHERE present = 1 AND (state IS NULL OR state <> 'dropped')
      ORDER BY sample.id`,
  ).map((row) => ({ id: row.id, path: row.path, contentHash: row.content_hash, classId: resolve(row.class_id) }));
}

/** Stores a run with its plan, classes and samples; it is 'preparing'. */
export function createRun(db: Database, { plan, classIds, samples, startedAt }: NewRun): RunId {
  return inTransaction(db, () => {
    const run = statement(db, "INSERT INTO run (status, plan_json, started_at) VALUES ('preparing', ?, ?)").run(
      JSON.stringify(plan),
      startedAt,
    );
    const runId = Number(run.lastInsertRowid);
    const insertClass = statement(db, 'INSERT INTO run_class (run_id, position, class_id) VALUES (?, ?, ?)');
    for (const [position, classId] of classIds.entries()) insertClass.run(runId, position, classId);
    const insertSample = statement(
      db,
      'INSERT INTO run_sample (run_id, position, sample_id, class_id) VALUES (?, ?, ?, ?)',
    );
    for (const [position, { id, classId }] of samples.entries()) insertSample.run(runId, position, id, classId);
    return runId;
  });
}

export function setRunStatus(
  db: Database,
  {
    runId,
    status,
    endedAt = null,
    error = null,
  }: { runId: RunId; status: RunStatus; endedAt?: string | null; error?: string | null },
): void {
  statement(db, 'UPDATE run SET status = ?, ended_at = ?, error = ? WHERE id = ?').run(status, endedAt, error, runId);
}

/** The newest run, running or ended. */
export function latestRun(db: Database): RunSummary | null {
  const row = firstRow<{ id: RunId }>(db, 'SELECT max(id) AS id FROM run WHERE id IS NOT NULL');
  return row === null || row.id === null ? null : runById(db, row.id);
}

export function runById(db: Database, runId: RunId): RunSummary | null {
  const row = firstRow<RunRow>(
    db,
    'SELECT id, status, plan_json, started_at, ended_at, error FROM run WHERE id = ?',
    runId,
  );
  if (row === null) return null;
  return {
    id: row.id,
    status: row.status,
    plan: JSON.parse(row.plan_json) as TrainingPlan,
    epochs: readEpochs(db, runId),
    startedAt: row.started_at,
    endedAt: row.ended_at,
    error: row.error,
  };
}

/** Whether any run of a recipe has come to its end. */
export function hasFinishedRun(db: Database, recipe: string): boolean {
  return (
    firstRow(
      db,
      "SELECT 1 FROM run WHERE status = 'done' AND json_extract(plan_json, '$.recipe') = ? LIMIT 1",
      recipe,
    ) !== null
  );
}

/** Ids of the runs that are marked as under way. */
export function activeRunIds(db: Database): RunId[] {
  return allRows<{ id: RunId }>(db, "SELECT id FROM run WHERE status IN ('preparing', 'running') ORDER BY id").map(
    (row) => row.id,
  );
}

/** Reports runs that nobody is training any more, because the app was closed or killed meanwhile, as failed. */
export function failInterruptedRuns(db: Database, endedAt: string): RunId[] {
  return inTransaction(db, () => {
    const interrupted = activeRunIds(db);
    for (const runId of interrupted) {
      const epochs = readEpochs(db, runId).length;
      const kept = epochs === 0 ? 'no epoch was finished' : `everything up to epoch ${epochs} is kept`;
      setRunStatus(db, {
        runId,
        status: 'failed',
        endedAt,
        error: `The app was closed while training; ${kept}. Start the training again.`,
      });
    }
    return interrupted;
  });
}

interface RunRow {
  id: RunId;
  status: RunStatus;
  plan_json: string;
  started_at: string;
  ended_at: string | null;
  error: string | null;
}

function readEpochs(db: Database, runId: RunId): EpochReport[] {
  return allRows<EpochReport>(
    db,
    `SELECT epoch, loss, accuracy, spread, learning_rate AS learningRate, images_per_second AS imagesPerSecond, seconds,
            seconds_left AS secondsLeft, doubts
       FROM epoch WHERE run_id = ? ORDER BY epoch`,
    runId,
  );
}
