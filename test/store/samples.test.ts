import { describe, expect, it } from 'vitest';
import { listClasses } from '../../src-main/store/class-list.ts';
import { classNames } from '../../src-main/store/classes.ts';
import { openDatabase } from '../../src-main/store/database.ts';
import { decide } from '../../src-main/store/decisions.ts';
import { undo } from '../../src-main/store/history.ts';
import { countProblems, listProblems } from '../../src-main/store/problems.ts';
import { readSampleCards } from '../../src-main/store/cards.ts';
import { countConflictingDuplicates, countSamples, exportSamples } from '../../src-main/store/samples.ts';
import { applyImport, knownSamplesByPath } from '../support/import-samples.ts';
import { classId, idOf, projectWith, scanned } from './fixtures.ts';

const decidedAt = '2026-02-03T04:05:06.789Z';
const none = { added: 0, changed: 0, moved: 0, gone: 0, unchanged: 0 };

describe('applyImport', () => {
  it('finds what is new, changed, gone, back and unchanged', () => {
    const db = projectWith(['cat/1.jpg', 'cat/2.jpg', 'dog/1.jpg', 'dog/2.jpg']);
    const files = [
      scanned('cat/1.jpg'),
      scanned('cat/2.jpg', { contentHash: 'other', byteSize: 7 }),
      scanned('dog/1.jpg', { givenClass: 'wolf' }),
      scanned('wolf/ネコ "9"\n🐱.jpg'),
    ];
    expect(applyImport(db, { scanned: files, problems: [] })).toEqual({
      added: 1,
      changed: 2,
      moved: 0,
      gone: 1,
      unchanged: 1,
    });
    expect(countSamples(db)).toEqual({ present: 4, gone: 1 });
    expect(listClasses(db).map(({ name, count }) => [name, count])).toEqual([
      ['cat', 2],
      ['dog', 0],
      ['wolf', 2],
    ]);
    expect(applyImport(db, { scanned: [...files, scanned('dog/2.jpg')], problems: [] })).toEqual({
      ...none,
      added: 1,
      unchanged: 4,
    });
    expect(knownSamplesByPath(db).get('cat/2.jpg')).toEqual({
      ...{ id: 2, contentHash: 'other', byteSize: 7, modifiedMs: 1_700_000_000_000.25, width: 32, height: 24 },
      ...{ format: 'jpeg', givenClassId: classId(db, 'cat'), present: true },
    });
  });

  it('lets decisions follow a file that was moved, also among files of one content', () => {
    const db = openDatabase(':memory:', { create: true });
    const copy = { contentHash: 'twins' };
    applyImport(db, {
      scanned: [scanned('cat/1.jpg', copy), scanned('cat/2.jpg', copy), scanned('cat/3.jpg'), scanned('dog/1.jpg')],
      problems: [],
    });
    const [one, two, three] = [idOf(db, 'cat/1.jpg'), idOf(db, 'cat/2.jpg'), idOf(db, 'cat/3.jpg')];
    decide(db, { sampleIds: [two], decision: { kind: 'drop' }, decidedAt });
    decide(db, { sampleIds: [three], decision: { kind: 'relabel', classId: classId(db, 'dog') }, decidedAt });
    const changes = applyImport(db, {
      scanned: [
        scanned('kitten/1.jpg', copy),
        scanned('kitten/2.jpg', copy),
        scanned('dog/1.jpg'),
        scanned('dog/third.jpg', { contentHash: 'hash-of-cat/3.jpg' }),
      ],
      problems: [],
    });
    expect(changes).toEqual({ ...none, moved: 3, unchanged: 1 });
    expect([idOf(db, 'kitten/1.jpg'), idOf(db, 'kitten/2.jpg'), idOf(db, 'dog/third.jpg')]).toEqual([one, two, three]);
    // The third was moved to where its decision had put it: what relabeled it now confirms it.
    expect([...exportSamples(db)].map(({ path, currentClass, state }) => [path, currentClass, state])).toEqual([
      ['dog/1.jpg', 'dog', 'unreviewed'],
      ['dog/third.jpg', 'dog', 'confirmed'],
      ['kitten/1.jpg', 'kitten', 'unreviewed'],
      ['kitten/2.jpg', null, 'dropped'],
    ]);
  });

  it('does not guess which of two missing files of one content a new one was', () => {
    const db = openDatabase(':memory:', { create: true });
    const copy = { contentHash: 'twins' };
    applyImport(db, { scanned: [scanned('cat/1.jpg', copy), scanned('dog/1.jpg', copy)], problems: [] });
    expect(applyImport(db, { scanned: [scanned('cat/new.jpg', copy)], problems: [] })).toEqual({
      ...none,
      added: 1,
      gone: 2,
    });
  });

  it('keeps the decided label when the given one changes outside, and through undo', () => {
    const db = projectWith(['cat/1.jpg', 'dog/1.jpg']);
    const id = idOf(db, 'cat/1.jpg');
    decide(db, { sampleIds: [id], decision: { kind: 'confirm' }, decidedAt });
    decide(db, { sampleIds: [id], decision: { kind: 'drop' }, decidedAt });
    applyImport(db, { scanned: [scanned('cat/1.jpg', { givenClass: 'dog' }), scanned('dog/1.jpg')], problems: [] });
    undo(db);
    expect(readSampleCards(db, [id])[0]).toMatchObject({ state: 'relabeled', currentClassId: classId(db, 'cat') });
    applyImport(db, { scanned: [scanned('cat/1.jpg'), scanned('dog/1.jpg')], problems: [] });
    expect(readSampleCards(db, [id])[0]).toMatchObject({ state: 'confirmed', currentClassId: classId(db, 'cat') });
  });

  it('forgets classes that nothing names any more, and lists only the problems of the latest import', () => {
    const db = openDatabase(':memory:', { create: true });
    const warning = { path: 'b', kind: 'wrong-extension', reason: 'x', severity: 'warning' } as const;
    const error = { path: 'c', kind: 'truncated', reason: 'y', severity: 'error' } as const;
    applyImport(db, {
      scanned: [scanned('a', { givenClass: '17' }), scanned('b', { givenClass: '18' })],
      problems: [warning, error],
    });
    expect(listProblems(db, { offset: 0, limit: 10 })).toEqual([error, warning]);
    applyImport(db, {
      scanned: [scanned('a', { givenClass: 'cat' }), scanned('b', { givenClass: 'dog' })],
      problems: [],
    });
    expect([...classNames(db).values()]).toEqual(['cat', 'dog']);
    expect(countProblems(db)).toBe(0);
  });

  it('changes nothing at all when it fails', () => {
    const db = projectWith(['cat/1.jpg', 'dog/1.jpg']);
    const before = knownSamplesByPath(db);
    const unread = scanned('wolf/1.jpg', { contentHash: null as unknown as string });
    const error = { path: 'c', kind: 'truncated', reason: 'y', severity: 'error' } as const;
    expect(() =>
      applyImport(db, { scanned: [scanned('cat/1.jpg', { byteSize: 7 }), unread], problems: [error] }),
    ).toThrow('NOT NULL');
    expect(knownSamplesByPath(db)).toEqual(before);
    expect([...classNames(db).values()]).toEqual(['cat', 'dog']);
    expect(countProblems(db)).toBe(0);
  });
});

it('counts pairs of one content under different labels', () => {
  const db = openDatabase(':memory:', { create: true });
  const copy = { contentHash: 'same' };
  applyImport(db, {
    scanned: [scanned('a/1', copy), scanned('a/2', copy), scanned('b/1', copy), scanned('c/1', copy), scanned('c/2')],
    problems: [],
  });
  expect(countConflictingDuplicates(db)).toBe(5);
});

it('exports more samples than a page holds, once each and in order of path', () => {
  const paths = Array.from({ length: 4500 }, (_, i) => `class${i % 3}/${(i * 7919) % 4500}.jpg`);
  const exported = [...exportSamples(projectWith(paths))].map(({ path }) => path);
  expect(exported).toEqual([...paths].sort());
});
