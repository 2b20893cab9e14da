import {
  reviewStates,
  type ClassId,
  type EmbeddingMap,
  type ReviewState,
  type RunId,
  type SampleId,
} from '../../shared/domain.ts';
import { readMergedClasses } from './classes.ts';
import { allRows, firstRow, inTransaction, statement, type Database } from './database.ts';
import { embeddedRunId } from './embeddings.ts';
import { findingsRunId } from './findings.ts';

/** What the map says of samples, in the order that was asked for. */
export interface MapColumns extends Pick<
  EmbeddingMap,
  'given' | 'suggested' | 'weight' | 'doubt' | 'state' | 'classIds'
> {
  /** 0 where the file is gone; what else is said of it means nothing. `[n]` */
  present: Uint8Array;
}

/** Stores the places of a run's samples, `[n, 2]` by position in the run, unless a newer run's embeddings have taken its place. */
export function writeMap(db: Database, runId: RunId, positions: Float32Array): void {
  inTransaction(db, () => {
    if (embeddedRunId(db) !== runId) return;
    statement(db, 'INSERT OR REPLACE INTO map (run_id, positions) VALUES (?, ?)').run(
      runId,
      Buffer.from(positions.buffer, positions.byteOffset, positions.byteLength),
    );
  });
}

/** The places of a run's samples, `[n, 2]` by position in the run; null if there is no map of it. */
export function readMapPositions(db: Database, runId: RunId): Float32Array | null {
  const row = firstRow<{ positions: Buffer }>(db, 'SELECT positions FROM map WHERE run_id = ?', runId);
  return row === null ? null : new Float32Array(new Uint8Array(row.positions).buffer);
}

/** The samples of a run by position. `[n]` */
export function readRunSamples(db: Database, runId: RunId): Uint32Array {
  return Uint32Array.from(
    statement<SampleId>(db, 'SELECT sample_id FROM run_sample WHERE run_id = ? ORDER BY position').pluck().all(runId),
  );
}

/** The labels that a run's samples were trained with, by position, as indexes of the run's classes. `[n]` */
export function readRunLabels(db: Database, runId: RunId): Uint16Array {
  return Uint16Array.from(
    statement<number>(
      db,
      `SELECT run_class.position
         FROM run_sample JOIN run_class ON run_class.run_id = run_sample.run_id AND run_class.class_id = run_sample.class_id
        WHERE run_sample.run_id = ? ORDER BY run_sample.position`,
    )
      .pluck()
      .all(runId),
  );
}

/** Labels, findings and states of samples as they are now, by their ids. Reads each table once, which joins would not. */
export function readMapColumns(db: Database, ids: Uint32Array): MapColumns {
  const { classIds, indexOf } = classIndexes(db);
  const rowOf = new Int32Array(ids.reduce((largest, id) => Math.max(largest, id), 0) + 1).fill(-1);
  ids.forEach((id, row) => (rowOf[id] = row));
  const columns: MapColumns = {
    present: new Uint8Array(ids.length),
    given: new Uint16Array(ids.length),
    suggested: new Uint16Array(ids.length).fill(noClass),
    weight: new Uint8Array(ids.length),
    doubt: new Uint8Array(ids.length),
    state: new Uint8Array(ids.length),
    classIds,
  };
  // Rows as arrays: at a million samples, objects would double the time.
  const samples = db.prepare<[], [SampleId, ClassId]>('SELECT id, given_class_id FROM sample WHERE present = 1').raw();
  for (const [id, given] of samples.iterate()) {
    const row = rowOf[id] ?? -1;
    if (row === -1) continue;
    columns.present[row] = 1;
    columns.given[row] = indexOf(given);
  }
  const findings = db
    .prepare<[RunId | null], [SampleId, ClassId, number, number]>(
      'SELECT sample_id, suggested_class_id, weight, score FROM finding WHERE run_id = ?',
    )
    .raw();
  for (const [id, suggested, weight, score] of findings.iterate(findingsRunId(db))) {
    const row = rowOf[id] ?? -1;
    if (row === -1) continue;
    columns.suggested[row] = indexOf(suggested);
    columns.weight[row] = Math.round(weight * 255);
    columns.doubt[row] = Math.round(score * 255);
  }
  const reviews = db.prepare<[], [SampleId, ReviewState]>('SELECT sample_id, state FROM review').raw();
  for (const [id, state] of reviews.iterate()) {
    const row = rowOf[id] ?? -1;
    if (row !== -1) columns.state[row] = reviewStates.indexOf(state);
  }
  return columns;
}

/** Stands for no class. */
const noClass = 65535;

/** Every class that stands for itself, and where a class, or the one that it was merged into, is among them. */
function classIndexes(db: Database): { classIds: ClassId[]; indexOf: (id: ClassId) => number } {
  const merged = readMergedClasses(db);
  const all = allRows<{ id: ClassId }>(db, 'SELECT id FROM class ORDER BY id').map(({ id }) => id);
  const classIds = all.filter((id) => !merged.has(id));
  const indexes = new Map(classIds.map((id, index) => [id, index]));
  return { classIds, indexOf: (id) => indexes.get(merged.get(id) ?? id) ?? noClass };
}
