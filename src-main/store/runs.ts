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

/** A run as it is stored; whether it can go on depends on files, too. */
export type StoredRun = Omit<RunSummary, 'canResume'>;

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

/** The samples of a run in their order, with the labels that it began with; where their files are may have changed since. */
export function samplesOfRun(db: Database, runId: RunId): TrainingSample[] {
  return allRows<{ id: SampleId; path: string; content_hash: string; class_id: ClassId }>(
    db,
    `SELECT sample.id, path, content_hash, run_sample.class_id
       FROM run_sample JOIN sample ON sample.id = run_sample.sample_id WHERE run_id = ? ORDER BY position`,
    runId,
  ).map((row) => ({ id: row.id, path: row.path, contentHash: row.content_hash, classId: row.class_id }));
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

/** A run goes on with another plan than it began with. */
export function changePlan(db: Database, runId: RunId, plan: TrainingPlan): void {
  statement(db, 'UPDATE run SET plan_json = ? WHERE id = ?').run(JSON.stringify(plan), runId);
}

export function addRunNote(db: Database, runId: RunId, note: string): void {
  statement(db, "UPDATE run SET notes_json = json_insert(notes_json, '$[#]', ?) WHERE id = ?").run(note, runId);
}

/** Removes the runs after this one, which have brought nothing: it is to be the newest again. */
export function removeEmptyRunsAfter(db: Database, runId: RunId): void {
  statement(db, 'DELETE FROM run WHERE id > ? AND id NOT IN (SELECT run_id FROM epoch)').run(runId);
}

/** Ids of all runs, newest first. */
export function runIds(db: Database): RunId[] {
  return allRows<{ id: RunId }>(db, 'SELECT id FROM run ORDER BY id DESC').map((row) => row.id);
}

/** The newest run, running or ended. */
export function latestRun(db: Database): StoredRun | null {
  const [newest] = runIds(db);
  return newest === undefined ? null : runById(db, newest);
}

export function runById(db: Database, runId: RunId): StoredRun | null {
  const row = firstRow<RunRow>(
    db,
    'SELECT id, status, plan_json, started_at, ended_at, error, notes_json FROM run WHERE id = ?',
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
    notes: JSON.parse(row.notes_json) as string[],
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

/** Marks runs that nobody is training any more, because the app was killed or the power failed meanwhile, as interrupted. */
export function markInterruptedRuns(db: Database, endedAt: string): RunId[] {
  return inTransaction(db, () => {
    const interrupted = activeRunIds(db);
    for (const runId of interrupted) {
      const epochs = readEpochs(db, runId).length;
      const kept = epochs === 0 ? 'no epoch was finished' : `everything up to epoch ${epochs} is kept`;
      setRunStatus(db, {
        runId,
        status: 'interrupted',
        endedAt,
        error: `Winnow ended without warning while it was training; ${kept}.`,
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
  notes_json: string;
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
