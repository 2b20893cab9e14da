import type { RunId, SampleId } from '../../shared/domain.ts';
import { firstRow, pages, type Database } from './database.ts';
import { rowOf, type SampleColumns } from './sample-columns.ts';

/** Where the samples are on the newest map, `[samples, 2]` by row; NaN for those that are not on it. Null if there is no map. */
export function readPositions(db: Database, columns: SampleColumns): Float32Array | null {
  const map = firstRow<{ run_id: RunId; positions: Buffer }>(
    db,
    'SELECT run_id, positions FROM map ORDER BY run_id DESC LIMIT 1',
  );
  if (map === null) return null;
  // A copy, because a Buffer may start anywhere.
  const stored = new Float32Array(new Uint8Array(map.positions).buffer);
  const positions = new Float32Array(2 * columns.count).fill(NaN);
  for (const page of pages<[place: number, id: SampleId]>(
    db,
    'SELECT position, sample_id FROM run_sample WHERE run_id = ? AND position > ? ORDER BY position',
    { values: [map.run_id], from: -1 },
  )) {
    for (const [place, id] of page) {
      const row = rowOf(columns, id);
      if (row === -1) continue;
      positions[2 * row] = stored[2 * place]!;
      positions[2 * row + 1] = stored[2 * place + 1]!;
    }
  }
  return positions;
}
