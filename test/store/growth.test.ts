import path from 'node:path';
import process from 'node:process';
import { expect, it } from 'vitest';
import { listClasses } from '../../src-main/store/class-list.ts';
import { inTransaction, openDatabase } from '../../src-main/store/database.ts';
import { appendEmbeddings, nearestSamples } from '../../src-main/store/embeddings.ts';
import { createRun, trainingSamples } from '../../src-main/store/runs.ts';
import { countSamples } from '../../src-main/store/samples.ts';
import { applyImport } from '../support/import-samples.ts';
import { temporaryFolder } from '../dataset/pictures.ts';
import { plan, projectWith, scanned } from './fixtures.ts';

/* What once took as long as the number of samples squared. test/bench/growth.ts measures everything. */

/**
 * By how much more processor time ten times as many samples take, leniently: other programs share the caches. What is squared takes a
 * hundred times as long.
 */
function growth(timeOf: (samples: number) => number, from = 500): number {
  // Once unmeasured, so that all code is compiled.
  timeOf(from);
  return Math.min(timeOf(10 * from), timeOf(10 * from)) / Math.max(timeOf(from), timeOf(from));
}

function timed(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

const mostGrowth = 30;

function paths(samples: number): string[] {
  return Array.from({ length: samples }, (_, i) => `${i % 2 === 0 ? 'cat' : 'dog'}/${i}.jpg`);
}

it('embeddings are stored in step with their number', () => {
  const values = new Float32Array(8).fill(1);
  const store = (samples: number): number => {
    const db = projectWith(paths(samples));
    const runId = createRun(db, { plan, classIds: [1, 2], samples: trainingSamples(db), startedAt: '2026-01-01' });
    const time = timed(() => {
      for (let start = 0; start < samples; start++) appendEmbeddings(db, { runId, start, dimension: 8, values });
    });
    expect(nearestSamples(db, 1, 1)).toHaveLength(1);
    return time;
  };
  expect(growth(store)).toBeLessThan(mostGrowth);
});

it('a label for every file, and the import that puts it right, are saved in step with their number', () => {
  const save = (samples: number): number => {
    const right = paths(samples).map((file) => scanned(file));
    const mistaken = right.map((sample) => ({ ...sample, givenClass: `label of ${sample.path}` }));
    const db = projectWith(paths(samples));
    const time = timed(() => {
      applyImport(db, { scanned: mistaken, problems: [] });
      applyImport(db, { scanned: right, problems: [] });
    });
    expect(listClasses(db).map(({ name }) => name)).toEqual(['cat', 'dog']);
    return time;
  };
  expect(growth(save, 1000)).toBeLessThan(mostGrowth);
});

it('files that have all moved are saved in step with their number', async () => {
  const folder = await temporaryFolder();
  // In a file: in memory SQLite keeps no list of what it may have to take back.
  const save = (samples: number): number => {
    const db = projectWith(
      paths(samples),
      openDatabase(path.join(folder, `${samples}-${performance.now()}.winnow`), { create: true }),
    );
    const moved = paths(samples).map((file) => scanned(`moved/${file}`, { contentHash: `hash-of-${file}` }));
    // As an import does it, with what else it saves.
    const time = timed(() => inTransaction(db, () => applyImport(db, { scanned: moved, problems: [] })));
    expect(countSamples(db)).toEqual({ present: samples, gone: 0 });
    db.close();
    return time;
  };
  expect(growth(save, 2000)).toBeLessThan(mostGrowth);
});
