import type { Neighbour, RunId, SampleId } from '../../shared/domain.ts';
import { allRows, firstRow, inTransaction, numberOf, statement, type Database } from './database.ts';
import { fromHalf, toHalf } from './half.ts';

/** Embeddings of consecutive samples of a run. */
export interface EmbeddingPart {
  runId: RunId;
  /** Position of the first of them in the run. */
  start: number;
  dimension: number;
  /** `[samples, dimension]`, each row of length 1. */
  values: Float32Array;
}

/**
 * Stores a part, wholly or not at all. Once a run's embeddings are complete, those of other runs are removed, and their maps: only the newest are
 * ever looked at, and every further set would make the project larger by 2 bytes per sample and dimension.
 */
export function appendEmbeddings(db: Database, { runId, start, dimension, values }: EmbeddingPart): void {
  inTransaction(db, () => {
    statement(db, 'INSERT OR REPLACE INTO embedding (run_id, start, dimension, vectors) VALUES (?, ?, ?, ?)').run(
      runId,
      start,
      dimension,
      toHalf(values),
    );
    // Parts come in order. To look after each of them whether all are there would take as long as their number squared.
    const end = start + values.length / dimension;
    if (end < countRunSamples(db, runId) || embeddedRunId(db) !== runId) return;
    statement(db, 'DELETE FROM embedding WHERE run_id <> ?').run(runId);
    statement(db, 'DELETE FROM map WHERE run_id <> ?').run(runId);
  });
}

/**
 * The samples whose embeddings point most nearly the same way, by exact search over the newest complete set; the sample itself
 * and those that are gone are left out. Empty when there is no set, or the sample is not in it, or the set is replaced meanwhile.
 *
 * @param pause Awaited between parts, so that other calls can go first: a million samples take a second.
 */
export async function nearestSamples(
  db: Database,
  sampleId: SampleId,
  limit: number,
  pause: () => Promise<void>,
): Promise<Neighbour[]> {
  const runId = embeddedRunId(db);
  if (runId === null) return [];
  const own = firstRow<{ position: number }>(
    db,
    'SELECT position FROM run_sample WHERE run_id = ? AND sample_id = ?',
    runId,
    sampleId,
  )?.position;
  if (own === undefined) return [];
  const starts = embeddingStarts(db, runId);
  const home = starts.findLast((start) => start <= own) ?? 0;
  const query = rowOf(readEmbeddings(db, runId, home), own - home);
  if (query === null) return [];
  const nearest: Neighbour[] = [];
  for (const start of starts) {
    const part = readEmbeddings(db, runId, start);
    if (part === null) return [];
    const similarities = cosines(part, query);
    for (let row = 0; row < similarities.length; row++) {
      const similarity = similarities[row]!;
      const position = start + row;
      if (position === own || (nearest.length === limit && similarity <= nearest[limit - 1]!.similarity)) continue;
      // Few come this far, so that to look each of them up costs less than to know beforehand which are gone.
      const found = presentSampleAt(db, runId, position);
      if (found !== null) insert(nearest, { sampleId: found, similarity }, limit);
    }
    await pause();
    // The project may have been closed.
    if (!db.open) return [];
  }
  return nearest;
}

/** The newest run with an embedding of every one of its samples. */
export function embeddedRunId(db: Database): RunId | null {
  const row = firstRow<{ run_id: RunId }>(
    db,
    `SELECT run_id FROM embedding GROUP BY run_id
     HAVING sum(length(vectors) / (2 * dimension)) = (SELECT max(position) + 1 FROM run_sample WHERE run_sample.run_id = embedding.run_id)
      ORDER BY run_id DESC LIMIT 1`,
  );
  return row?.run_id ?? null;
}

/** The parts of a run's embeddings, by the position of their first sample. */
export function embeddingStarts(db: Database, runId: RunId): number[] {
  return allRows<{ start: number }>(db, 'SELECT start FROM embedding WHERE run_id = ? ORDER BY start', runId).map(
    (row) => row.start,
  );
}

/** Embeddings as they are stored. */
interface Part {
  dimension: number;
  /** float16 as bits, `[samples, dimension]`. */
  vectors: Uint16Array<ArrayBuffer>;
}

/** One part; null when it was removed meanwhile. */
export function readEmbeddings(db: Database, runId: RunId, start: number): Part | null {
  const row = firstRow<{ dimension: number; vectors: Buffer }>(
    db,
    'SELECT dimension, vectors FROM embedding WHERE run_id = ? AND start = ?',
    runId,
    start,
  );
  return row === null
    ? null
    : { dimension: row.dimension, vectors: new Uint16Array(new Uint8Array(row.vectors).buffer) };
}

/** Positions count from 0 without a gap, so that the last one tells. */
function countRunSamples(db: Database, runId: RunId): number {
  return numberOf(db, 'SELECT max(position) + 1 AS value FROM run_sample WHERE run_id = ?', runId);
}

/** Null for one that is gone. */
function presentSampleAt(db: Database, runId: RunId, position: number): SampleId | null {
  return (
    firstRow<{ id: SampleId }>(
      db,
      `SELECT sample.id FROM run_sample JOIN sample ON sample.id = sample_id
       WHERE run_id = ? AND position = ? AND present = 1`,
      runId,
      position,
    )?.id ?? null
  );
}

/** Behind those that are as near; at most `limit` are kept. */
function insert(nearest: Neighbour[], one: Neighbour, limit: number): void {
  const farther = nearest.findIndex(({ similarity }) => similarity < one.similarity);
  nearest.splice(farther === -1 ? nearest.length : farther, 0, one);
  if (nearest.length > limit) nearest.pop();
}

function rowOf(part: Part | null, row: number): Float32Array | null {
  if (part === null) return null;
  const { vectors, dimension } = part;
  return Float32Array.from(vectors.subarray(row * dimension, (row + 1) * dimension), (bits) => numberOfBits[bits]!);
}

/** Cosine of each row with `query`. */
function cosines({ dimension, vectors }: Part, query: Float32Array): Float64Array {
  const similarities = new Float64Array(vectors.length / dimension);
  const queryLength = Math.hypot(...query);
  for (let row = 0; row < similarities.length; row++) {
    const offset = row * dimension;
    let dot = 0;
    let square = 0;
    for (let j = 0; j < dimension; j++) {
      const value = numberOfBits[vectors[offset + j]!]!;
      dot += value * query[j]!;
      square += value * value;
    }
    // float16 leaves rows a little longer or shorter than 1.
    const cosine = dot / (Math.sqrt(square) * queryLength);
    similarities[row] = Number.isNaN(cosine) ? 0 : Math.min(1, Math.max(-1, cosine));
  }
  return similarities;
}

/** Every float16 by its bits; looking up is several times quicker than converting. */
const numberOfBits = fromHalf(Buffer.from(Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits).buffer));
