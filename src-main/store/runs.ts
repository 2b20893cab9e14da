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
import { allRows, firstRow, inSnapshot, inTransaction, numberOf, pages, statement, type Database } from './database.ts';

/** A run as it is stored; whether it can go on depends on files, too. */
export type StoredRun = Omit<RunSummary, 'canResume'>;

/** What a run trains, a column for each thing: a million samples as objects would keep the garbage collector busy. Row i of the targets is entry i. */
export interface TrainingSamples {
  ids: Uint32Array;
  /** The labels after the decisions; of merged classes, the one that they are now. */
  classIds: Uint32Array;
}

export interface NewRun {
  plan: TrainingPlan;
  /** Class of each index of the targets. */
  classIds: readonly ClassId[];
  samples: TrainingSamples;
  startedAt: string;
}

/** The samples to train on, by id: relabeled ones with their new label, without those that were dropped or are gone. */
export function trainingSamples(db: Database): TrainingSamples {
  const resolve = classResolver(db);
  const source = `FROM sample LEFT JOIN review ON review.sample_id = sample.id
      WHERE present = 1 AND (state IS NULL OR state <> 'dropped')`;
  const { ids, classIds } = readSamples(db, {
    count: `SELECT count(*) AS value ${source}`,
    rows: `SELECT sample.id, sample.id, coalesce(review.class_id, given_class_id) ${source} AND sample.id > ? ORDER BY sample.id`,
  });
  return { ids, classIds: classIds.map(resolve) };
}

/** The samples of a run in their order, with the labels that it began with. */
export function samplesOfRun(db: Database, runId: RunId): TrainingSamples {
  return readSamples(db, {
    count: 'SELECT count(*) AS value FROM run_sample WHERE run_id = ?',
    rows: 'SELECT position, sample_id, class_id FROM run_sample WHERE run_id = ? AND position > ? ORDER BY position',
    values: [runId],
  });
}

/** The files of a run's samples, in their order, where they are now. Read a page at a time, so that the connection stays free in between. */
export function* filesOfRun(db: Database, runId: RunId): Generator<{ path: string; contentHash: string }> {
  for (const page of pages<[position: number, path: string, contentHash: string]>(
    db,
    `SELECT position, path, content_hash
       FROM run_sample JOIN sample ON sample.id = run_sample.sample_id
      WHERE run_id = ? AND position > ? ORDER BY position`,
    { values: [runId], from: -1 },
  )) {
    for (const [, path, contentHash] of page) yield { path, contentHash };
  }
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
    for (const [position, id] of samples.ids.entries()) {
      insertSample.run(runId, position, id, samples.classIds[position]);
    }
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

/** `rows` gives for each sample what they are ordered by, its id and its class. */
function readSamples(
  db: Database,
  { count, rows, values = [] }: { count: string; rows: string; values?: readonly unknown[] },
): TrainingSamples {
  return inSnapshot(db, () => {
    const samples = numberOf(db, count, ...values);
    const ids = new Uint32Array(samples);
    const classIds = new Uint32Array(samples);
    let i = 0;
    for (const page of pages<[number, SampleId, ClassId]>(db, rows, { values, from: -1 })) {
      for (const [, id, classId] of page) {
        ids[i] = id;
        classIds[i++] = classId;
      }
    }
    return { ids, classIds };
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
