import { expect, it } from 'vitest';
import { allRows } from '../../src-main/store/database.ts';
import { decide } from '../../src-main/store/decisions.ts';
import { appendEmbeddings } from '../../src-main/store/embeddings.ts';
import {
  currentLabels,
  presentSamplesSignature,
  printedSamples,
  writeFingerprints,
} from '../../src-main/store/fingerprints.ts';
import { readMapColumns, readMapPositions, readRunLabels, readRunSamples, writeMap } from '../../src-main/store/map.ts';
import { createRun, trainingSamples } from '../../src-main/store/runs.ts';
import { applyImport } from '../support/import-samples.ts';
import { classId, idOf, plan, projectWith, runWithFindings, scanned } from './fixtures.ts';

const paths = ['cat/1.jpg', 'cat/2.jpg', 'dog/3.jpg', 'dog/4.jpg'];
const decidedAt = '2026-01-02T00:00:00.000Z';

function embed(db: ReturnType<typeof projectWith>, runId: number): void {
  appendEmbeddings(db, { runId, start: 0, dimension: 2, values: new Float32Array(2 * paths.length).fill(0.7) });
}

it('keeps the map of the newest embeddings, and no other', () => {
  const db = projectWith(paths);
  const first = runWithFindings(db, {});
  const places = Float32Array.from(paths.flatMap((_, i) => [i / 10, -i / 10]));
  writeMap(db, first, places);
  expect(readMapPositions(db, first), 'without embeddings there is nothing to map').toBeNull();
  embed(db, first);
  writeMap(db, first, places);
  expect(readMapPositions(db, first)).toEqual(places);

  const second = createRun(db, { plan, classIds: [1, 2], samples: trainingSamples(db), startedAt: decidedAt });
  expect(readMapPositions(db, first)).toEqual(places);
  embed(db, second);
  expect(allRows(db, 'SELECT run_id FROM map')).toEqual([]);
  // A layout that was under way when the newer embeddings came.
  writeMap(db, first, places);
  expect(allRows(db, 'SELECT run_id FROM map')).toEqual([]);
});

it('reads what is known of samples now, in the order asked for', () => {
  const db = projectWith(paths);
  const runId = runWithFindings(db, { 'cat/2.jpg': { score: 0.6, suggested: 'dog' } });
  decide(db, { sampleIds: [idOf(db, 'dog/3.jpg')], decision: { kind: 'drop' }, decidedAt });
  applyImport(db, { scanned: [...paths, 'dog/new.jpg'].map((path) => scanned(path)), problems: [] });
  const order = ['dog/new.jpg', 'cat/2.jpg', 'dog/3.jpg'];
  const [cat, dog] = [classId(db, 'cat'), classId(db, 'dog')];
  const columns = readMapColumns(
    db,
    Uint32Array.from(order, (path) => idOf(db, path)),
  );
  expect(columns.classIds.toSorted()).toEqual([cat, dog].toSorted());
  const [catIndex, dogIndex] = [columns.classIds.indexOf(cat), columns.classIds.indexOf(dog)];
  expect(columns).toEqual({
    classIds: columns.classIds,
    present: Uint8Array.of(1, 1, 1),
    given: Uint16Array.of(dogIndex, catIndex, dogIndex),
    suggested: Uint16Array.of(65535, dogIndex, dogIndex),
    weight: Uint8Array.of(0, 230, 230),
    doubt: Uint8Array.of(0, 153, 0),
    state: Uint8Array.of(0, 0, 3),
  });
  expect([...readRunSamples(db, runId)]).toEqual(paths.map((path) => idOf(db, path)));
  expect([...readRunLabels(db, runId)]).toEqual([0, 0, 1, 1]);
});

it('keeps fingerprints by content, also of files that moved', () => {
  const db = projectWith(paths);
  const bits = Uint8Array.of(1, 2, 3);
  writeFingerprints(db, [{ contentHash: 'hash-of-cat/2.jpg', bits }]);
  const renamed = scanned('dog/2.jpg', { contentHash: 'hash-of-cat/2.jpg' });
  applyImport(db, {
    scanned: [...paths.filter((path) => path !== 'cat/2.jpg').map((path) => scanned(path)), renamed],
    problems: [],
  });
  const samples = [...printedSamples(db)].flat();
  expect(samples.map(({ id, bits: own }) => [id, own === null ? null : [...own]])).toEqual([
    [idOf(db, 'cat/1.jpg'), null],
    [idOf(db, 'dog/2.jpg'), [1, 2, 3]],
    [idOf(db, 'dog/3.jpg'), null],
    [idOf(db, 'dog/4.jpg'), null],
  ]);
});

it('reads fingerprints by content, a page at a time, also where one content is in many files', () => {
  const many = Array.from({ length: 2500 }, (_, i) => `cat/${String(i).padStart(4, '0')}.jpg`);
  const db = projectWith([]);
  const contentHash = (i: number): string => (i < 1500 ? 'one for many' : `${i % 7} of ${i}`);
  applyImport(db, { scanned: many.map((path, i) => scanned(path, { contentHash: contentHash(i) })), problems: [] });
  const read = [...printedSamples(db)];
  expect(Math.max(...read.map(({ length }) => length))).toBe(1000);
  const expected = many.map((path, i) => ({ id: idOf(db, path), contentHash: contentHash(i), bits: null }));
  expected.sort((a, b) => (a.contentHash < b.contentHash ? -1 : a.contentHash > b.contentHash ? 1 : a.id - b.id));
  expect(read.flat()).toEqual(expected);
});

it('knows labels after decisions, and whether the pictures are still the same', () => {
  const db = projectWith(paths);
  const ids = paths.map((path) => idOf(db, path));
  const before = presentSamplesSignature(db);
  decide(db, { sampleIds: [ids[0]!], decision: { kind: 'relabel', classId: classId(db, 'dog') }, decidedAt });
  decide(db, { sampleIds: [ids[1]!], decision: { kind: 'drop' }, decidedAt });
  expect([...currentLabels(db, ids).values()]).toEqual([
    classId(db, 'dog'),
    null,
    classId(db, 'dog'),
    classId(db, 'dog'),
  ]);
  expect(presentSamplesSignature(db)).toBe(before);
  const changed = scanned('cat/1.jpg', { contentHash: 'other', byteSize: 1001 });
  applyImport(db, { scanned: [changed, ...paths.slice(1).map((path) => scanned(path))], problems: [] });
  expect(presentSamplesSignature(db)).not.toBe(before);
});
