import { expect, it } from 'vitest';
import { createRandom, type Random } from '../../src-main/domain/random.ts';
import type { ImportChanges } from '../../src-main/store/apply-import.ts';
import { classNames } from '../../src-main/store/classes.ts';
import { openDatabase, type Database } from '../../src-main/store/database.ts';
import { applyImport, knownSamplesByPath, type ScannedSample } from '../support/import-samples.ts';
import { scanned } from './fixtures.ts';

/** A sample as the oracle knows it. */
interface Sample {
  id: number;
  path: string;
  contentHash: string;
  givenClass: string;
  present: boolean;
}

it('does the same as going through the files one by one, for any sequence of imports', () => {
  let moves = 0;
  for (let seed = 0; seed < 60; seed++) {
    const random = createRandom(seed);
    const db = openDatabase(':memory:', { create: true });
    let samples: Sample[] = [];
    for (let round = 0; round < 5; round++) {
      const files = randomFiles(random);
      const expected = importOneByOne(samples, files);
      samples = expected.samples;
      // In any order: what is saved does not depend on the one in which files end.
      const changes = applyImport(db, { scanned: shuffled(files, random), problems: [] });
      expect({ seed, round, changes }).toEqual({ seed, round, changes: expected.changes });
      expect(samplesOf(db)).toEqual(samples.toSorted((a, b) => a.id - b.id));
      moves += changes.moved;
    }
    db.close();
  }
  expect(moves).toBeGreaterThan(100);
});

it('gives ids in order of path, also beyond a page', () => {
  const db = openDatabase(':memory:', { create: true });
  const paths = Array.from({ length: 20_500 }, (_, i) => `${(i * 7919) % 20_500}/x.jpg`);
  const changes = applyImport(db, { scanned: paths.map((path) => scanned(path, { givenClass: 'x' })), problems: [] });
  expect(changes).toEqual({ added: paths.length, changed: 0, moved: 0, gone: 0, unchanged: 0 });
  expect([...knownSamplesByPath(db).keys()]).toEqual(paths.toSorted());
  db.close();
});

/** Few contents, folders and names, so that everything happens: copies, moves, renames, and all of them at once. */
function randomFiles(random: Random): ScannedSample[] {
  const files: ScannedSample[] = [];
  for (const folder of ['a', 'b', 'c'])
    for (const name of ['1', '2', '3', '4']) {
      if (random.integer(2) === 0) continue;
      const contentHash = `content ${random.integer(8)}`;
      files.push(scanned(`${folder}/${name}`, { contentHash, givenClass: `class ${random.integer(3)}` }));
    }
  return files;
}

/** `files` in order of path. */
function importOneByOne(
  before: readonly Sample[],
  files: readonly ScannedSample[],
): { samples: Sample[]; changes: ImportChanges } {
  const samples = before.map((sample) => ({ ...sample }));
  const changes: ImportChanges = { added: 0, changed: 0, moved: 0, gone: 0, unchanged: 0 };
  const known = new Map(samples.map((sample) => [sample.path, sample]));
  const missing = new Set(samples);
  const fresh: ScannedSample[] = [];
  for (const file of files) {
    const sample = known.get(file.path);
    if (sample === undefined) {
      fresh.push(file);
      continue;
    }
    missing.delete(sample);
    const isSame = sample.contentHash === file.contentHash && sample.givenClass === file.givenClass;
    changes[!sample.present ? 'added' : isSame ? 'unchanged' : 'changed']++;
    Object.assign(sample, { contentHash: file.contentHash, givenClass: file.givenClass, present: true });
  }
  const follow = (sample: Sample, { path, givenClass }: ScannedSample): void => {
    Object.assign(sample, { path, givenClass, present: true });
    missing.delete(sample);
    changes.moved++;
  };
  const moved = new Set<ScannedSample>();
  for (const [contentHash, candidates] of Map.groupBy(fresh, (file) => file.contentHash)) {
    const sources = new Set([...missing].filter((sample) => sample.contentHash === contentHash));
    for (const file of candidates) {
      const sameName = [...sources].filter((sample) => nameOf(sample) === nameOf(file));
      if (sameName.length !== 1) continue;
      follow(sameName[0]!, file);
      moved.add(file);
      sources.delete(sameName[0]!);
    }
    const target = candidates.find((file) => !moved.has(file));
    if (sources.size !== 1 || target === undefined) continue;
    follow([...sources][0]!, target);
    moved.add(target);
  }
  for (const { path, contentHash, givenClass } of fresh.filter((file) => !moved.has(file))) {
    samples.push({ id: samples.length + 1, path, contentHash, givenClass, present: true });
    changes.added++;
  }
  for (const sample of missing) {
    if (sample.present) changes.gone++;
    sample.present = false;
  }
  return { samples, changes };
}

function nameOf({ path }: { path: string }): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function samplesOf(db: Database): Sample[] {
  const names = classNames(db);
  return Array.from(knownSamplesByPath(db), ([path, { id, contentHash, givenClassId, present }]) => ({
    id,
    path,
    contentHash,
    givenClass: names.get(givenClassId)!,
    present,
  }));
}

function shuffled<T>(things: readonly T[], random: Random): T[] {
  return things
    .map((thing) => ({ thing, place: random.next() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ thing }) => thing);
}
