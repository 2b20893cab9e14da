import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createRandom } from '../../src-main/domain/random.ts';
import { allRows, type Database } from '../../src-main/store/database.ts';
import { appendEmbeddings, nearestSamples } from '../../src-main/store/embeddings.ts';
import { createRun, trainingSamples } from '../../src-main/store/runs.ts';
import { applyImport } from '../support/import-samples.ts';
import { plan, projectWith, scanned } from './fixtures.ts';

const dimension = 8;
const paths = Array.from({ length: 300 }, (_, i) => `${i % 2 === 0 ? 'cat' : 'dog'}/${String(i).padStart(3, '0')}.jpg`);

function newRun(db: Database): number {
  return createRun(db, { plan, classIds: [1, 2], samples: trainingSamples(db), startedAt: '2026-01-01' });
}

/** Rows of length 1. */
function randomVectors(seed: number): Float32Array[] {
  const random = createRandom(seed);
  return paths.map(() => {
    const row = Float32Array.from({ length: dimension }, () => random.normal());
    const length = Math.hypot(...row);
    return row.map((value) => value / length);
  });
}

/** In parts that end where no block would. */
function store(db: Database, runId: number, rows: Float32Array[], until = rows.length): void {
  for (let start = 0; start < until; start += 113) {
    const values = Float32Array.from(rows.slice(start, Math.min(start + 113, until)).flatMap((row) => [...row]));
    appendEmbeddings(db, { runId, start, dimension, values });
  }
}

it('finds the most alike exactly, without the sample itself and those that are gone', async () => {
  const db = projectWith(paths);
  const rows = randomVectors(3);
  store(db, newRun(db), rows);
  const gone = 7;
  applyImport(db, { scanned: paths.filter((_, i) => i !== gone).map((path) => scanned(path)), problems: [] });
  for (const own of [0, 112, 113, 299]) {
    const expected = rows
      .map((row, i) => ({ id: i + 1, similarity: row.reduce((sum, value, j) => sum + value * rows[own]![j]!, 0) }))
      .filter(({ id }) => id !== own + 1 && id !== gone + 1)
      .sort((a, b) => b.similarity - a.similarity)
      .slice(0, 5);
    const found = await nearestSamples(db, own + 1, 5, setImmediate);
    expect(found.map(({ sampleId }) => sampleId)).toEqual(expected.map(({ id }) => id));
    found.forEach(({ similarity }, i) => expect(similarity).toBeCloseTo(expected[i]!.similarity, 2));
  }
  expect(await nearestSamples(db, 1, 1000, setImmediate)).toHaveLength(paths.length - 2);
});

it('looks at the newest complete set, and keeps no other', async () => {
  const db = projectWith(paths);
  expect(await nearestSamples(db, 1, 3, setImmediate)).toEqual([]);
  const first = newRun(db);
  store(db, first, randomVectors(1));
  const before = await nearestSamples(db, 1, 3, setImmediate);
  const second = newRun(db);
  // Stopped in the midst of it: the complete set of the run before still answers.
  store(db, second, randomVectors(2), 150);
  expect(await nearestSamples(db, 1, 3, setImmediate)).toEqual(before);
  store(db, second, randomVectors(2));
  expect(await nearestSamples(db, 1, 3, setImmediate)).not.toEqual(before);
  expect(allRows(db, 'SELECT DISTINCT run_id AS id FROM embedding')).toEqual([{ id: second }]);
  // A sample that the run did not know has no neighbours yet.
  applyImport(db, { scanned: [...paths, 'cat/new.jpg'].map((path) => scanned(path)), problems: [] });
  expect(await nearestSamples(db, paths.length + 1, 3, setImmediate)).toEqual([]);
});
