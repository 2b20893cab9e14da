import type { RunId, SampleId } from '../../shared/domain.ts';
import { firstRow, type Database } from './database.ts';
import { pages, rowOf, type SampleColumns } from './sample-columns.ts';

/** Where the samples lie in the folder. */
export interface SamplePaths {
  /** Rows by path. */
  order: Uint32Array;
  /** What a search looks in, by row; see `searchKey`. */
  keys: string[];
}

export function readPaths(db: Database, columns: SampleColumns): SamplePaths {
  const order = new Uint32Array(columns.count);
  const keys = new Array<string>(columns.count).fill('');
  let place = 0;
  for (const [path, id] of pages<[path: string, id: SampleId]>(
    db,
    'SELECT path, id FROM sample WHERE path > ? ORDER BY path',
    { from: '' },
  )) {
    const row = rowOf(columns, id);
    if (row === -1) continue;
    order[place++] = row;
    keys[row] = searchKey(path);
  }
  return { order, keys };
}

/** Text in which upper and lower case, and the ways to write one letter, are the same, in every script. */
export function searchKey(text: string): string {
  return text.normalize('NFC').toLowerCase();
}

/** Positions on the newest map, `[samples, 2]` by row; NaN where a sample is not on it. Null if there is no map. */
export function readPositions(db: Database, columns: SampleColumns): Float32Array | null {
  const map = firstRow<{ run_id: RunId; positions: Buffer }>(
    db,
    'SELECT run_id, positions FROM map ORDER BY run_id DESC LIMIT 1',
  );
  if (map === null) return null;
  // A copy, because a Buffer may start anywhere.
  const stored = new Float32Array(new Uint8Array(map.positions).buffer);
  const positions = new Float32Array(2 * columns.count).fill(NaN);
  for (const [place, id] of pages<[place: number, id: SampleId]>(
    db,
    'SELECT position, sample_id FROM run_sample WHERE run_id = ? AND position > ? ORDER BY position',
    { values: [map.run_id], from: -1 },
  )) {
    const row = rowOf(columns, id);
    if (row !== -1) positions.set(stored.subarray(2 * place, 2 * place + 2), 2 * row);
  }
  return positions;
}
