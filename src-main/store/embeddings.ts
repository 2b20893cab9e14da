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
 * and those that are gone are left out. Empty when there is no set, or the sample is not in it.
 */
export function nearestSamples(db: Database, sampleId: SampleId, limit: number): Neighbour[] {
  const runId = embeddedRunId(db);
  if (runId === null) return [];
  const own = firstRow<{ position: number }>(
    db,
    'SELECT position FROM run_sample WHERE run_id = ? AND sample_id = ?',
    runId,
    sampleId,
  )?.position;
  if (own === undefined) return [];
  const parts = allRows<{ start: number; dimension: number; vectors: Buffer }>(
    db,
    'SELECT start, dimension, vectors FROM embedding WHERE run_id = ? ORDER BY start',
    runId,
  ).map(({ start, dimension, vectors }) => ({ start, dimension, vectors: halfBits(vectors) }));
  const similarities = cosines(parts, own);
  similarities[own] = -Infinity;
  for (const position of gonePositions(db, runId)) similarities[position] = -Infinity;
  return largest(similarities, limit).flatMap((position) => {
    const sample = firstRow<{ sample_id: SampleId }>(
      db,
      'SELECT sample_id FROM run_sample WHERE run_id = ? AND position = ?',
      runId,
      position,
    );
    return sample === null ? [] : [{ sampleId: sample.sample_id, similarity: similarities[position]! }];
  });
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

/** One part: float16 as bits, `[samples, dimension]`; null when it was removed meanwhile. */
export function readEmbeddings(
  db: Database,
  runId: RunId,
  start: number,
): { dimension: number; vectors: Uint16Array<ArrayBuffer> } | null {
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

interface Part {
  start: number;
  dimension: number;
  /** float16 as bits. */
  vectors: Uint16Array;
}

/** Positions count from 0 without a gap, so that the last one tells. */
function countRunSamples(db: Database, runId: RunId): number {
  return numberOf(db, 'SELECT max(position) + 1 AS value FROM run_sample WHERE run_id = ?', runId);
}

function gonePositions(db: Database, runId: RunId): number[] {
  return allRows<{ position: number }>(
    db,
    `SELECT position FROM sample CROSS JOIN run_sample ON run_id = ? AND sample_id = sample.id WHERE present = 0`,
    runId,
  ).map((row) => row.position);
}

/** Cosine of every sample's embedding with that of one of them, by position. */
function cosines(parts: readonly Part[], own: number): Float64Array {
  const count = parts.reduce((sum, { vectors, dimension }) => sum + vectors.length / dimension, 0);
  const similarities = new Float64Array(count);
  const home = parts.findLast(({ start }) => start <= own)!;
  const query = Float32Array.from(
    home.vectors.subarray((own - home.start) * home.dimension, (own - home.start + 1) * home.dimension),
    (bits) => numberOfBits[bits]!,
  );
  const queryLength = Math.hypot(...query);
  for (const { start, dimension, vectors } of parts) {
    for (let row = 0; row < vectors.length / dimension; row++) {
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
      similarities[start + row] = Number.isNaN(cosine) ? 0 : Math.min(1, Math.max(-1, cosine));
    }
  }
  return similarities;
}

/** Positions of the `limit` largest values that are finite, largest first; equal ones in their order. */
function largest(values: Float64Array, limit: number): number[] {
  // Sorting bare numbers is far quicker than sorting positions by them.
  const least = values.toSorted().at(-Math.min(limit, values.length)) ?? 0;
  const positions: number[] = [];
  for (let position = 0; position < values.length; position++) {
    if (values[position]! >= least && values[position]! > -Infinity) positions.push(position);
  }
  return positions.sort((a, b) => values[b]! - values[a]! || a - b).slice(0, limit);
}

function halfBits(bytes: Buffer): Uint16Array {
  // A copy where the Buffer starts at an odd offset.
  return bytes.byteOffset % 2 === 0
    ? new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
    : new Uint16Array(new Uint8Array(bytes).buffer);
}

/** Every float16 by its bits; looking up is several times quicker than converting. */
const numberOfBits = fromHalf(Buffer.from(Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits).buffer));
