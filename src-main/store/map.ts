import type { EmbeddingMap, RunId, SampleId } from '../../shared/domain.ts';
import { readClassIds } from './classes.ts';
import { firstRow, inTransaction, statement, type Database } from './database.ts';
import { embeddedRunId } from './embeddings.ts';
import { sampleIndex } from './sample-index.ts';

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

/** Labels, findings and states of samples as they are now, by their ids. */
export function readMapColumns(db: Database, ids: Uint32Array): MapColumns {
  const known = sampleIndex(db).columns;
  const classIds = readClassIds(db);
  const indexes = new Map(classIds.map((id, index) => [id, index]));
  const rows = new Int32Array(known.count === 0 ? 1 : known.id[known.count - 1]! + 1).fill(-1);
  for (let row = 0; row < known.count; row++) rows[known.id[row]!] = row;
  const columns: MapColumns = {
    present: new Uint8Array(ids.length),
    given: new Uint16Array(ids.length),
    suggested: new Uint16Array(ids.length).fill(noClass),
    weight: new Uint8Array(ids.length),
    doubt: new Uint8Array(ids.length),
    state: new Uint8Array(ids.length),
    classIds,
  };
  for (let i = 0; i < ids.length; i++) {
    const row = rows[ids[i]!] ?? -1;
    if (row === -1) continue;
    columns.present[i] = 1;
    columns.given[i] = indexes.get(known.given[row]!) ?? noClass;
    columns.state[i] = known.state[row]!;
    if (known.suggested[row] === 0) continue;
    columns.suggested[i] = indexes.get(known.suggested[row]!) ?? noClass;
    columns.weight[i] = Math.round(known.weight[row]! * 255);
    columns.doubt[i] = Math.round(known.score[row]! * 255);
  }
  return columns;
}

/** Stands for no class. */
const noClass = 65535;
