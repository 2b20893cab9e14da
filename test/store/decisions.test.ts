import { describe, expect, it } from 'vitest';
import type { Database } from '../../src-main/store/database.ts';
import { decide } from '../../src-main/store/decisions.ts';
import { redo, undo, undoLabels } from '../../src-main/store/history.ts';
import { countReview } from '../../src-main/store/reviews.ts';
import { applyImport } from '../support/import-samples.ts';
import { classId, idOf, projectWith, runWithFindings, scanned } from './fixtures.ts';

const decidedAt = '2026-02-03T04:05:06.789Z';
const paths = ['cat/1.jpg', 'cat/2.jpg', 'dog/1.jpg', 'dog/2.jpg'];

/** Every stored decision. */
function reviews(db: Database): unknown[] {
  return db
    .prepare(
      'SELECT path, state, class.name, decided_at FROM review JOIN sample ON sample.id = sample_id LEFT JOIN class ON class.id = class_id ORDER BY path',
    )
    .raw()
    .all();
}

describe('decide', () => {
  it('applies each kind of decision', () => {
    const db = projectWith(paths);
    const [cat1, cat2, dog1, dog2] = paths.map((path) => idOf(db, path)) as [number, number, number, number];
    decide(db, { sampleIds: [cat1], decision: { kind: 'confirm' }, decidedAt });
    const made = decide(db, { sampleIds: [cat2], decision: { kind: 'relabel-new', className: 'lynx' }, decidedAt });
    decide(db, { sampleIds: [dog1], decision: { kind: 'drop' }, decidedAt });
    const last = decide(db, { sampleIds: [dog2], decision: { kind: 'skip' }, decidedAt });
    expect(reviews(db)).toEqual([
      ['cat/1.jpg', 'confirmed', 'cat', decidedAt],
      ['cat/2.jpg', 'relabeled', 'lynx', decidedAt],
      ['dog/1.jpg', 'dropped', null, decidedAt],
      ['dog/2.jpg', 'skipped', null, decidedAt],
    ]);
    expect(made.classes?.map(({ name }) => name)).toEqual(['cat', 'dog', 'lynx']);
    expect(last).toEqual({
      label: 'Skip 1 image',
      direction: 'done',
      samples: [{ id: dog2, state: 'skipped', currentClassId: classId(db, 'dog') }],
      review: { unreviewed: 0, confirmed: 1, relabeled: 1, dropped: 1, skipped: 1 },
      undoLabel: 'Skip 1 image',
      redoLabel: null,
      classes: null,
      everything: false,
    });
    decide(db, { sampleIds: [cat1, cat2, dog1, dog2], decision: { kind: 'reopen' }, decidedAt });
    expect(reviews(db)).toEqual([]);
  });

  it('keeps one and drops the others as one step, which one undo takes back', () => {
    const db = projectWith(paths);
    const [cat1, cat2, dog1, dog2] = paths.map((path) => idOf(db, path)) as [number, number, number, number];
    decide(db, { sampleIds: [dog2], decision: { kind: 'skip' }, decidedAt });
    const before = reviews(db);
    const decision = { kind: 'keep-only' as const, keptId: dog1 };
    const change = decide(db, { sampleIds: [cat1, dog1, dog2], decision, decidedAt });
    expect(change.label).toBe('Keep one of 3 images, drop the rest');
    expect(reviews(db)).toEqual([
      ['cat/1.jpg', 'dropped', null, decidedAt],
      ['dog/1.jpg', 'confirmed', 'dog', decidedAt],
      ['dog/2.jpg', 'dropped', null, decidedAt],
    ]);
    undo(db);
    expect(reviews(db)).toEqual(before);
    expect(() => decide(db, { sampleIds: [cat1, cat2], decision, decidedAt })).toThrow(/is not one of those/);
    expect(reviews(db)).toEqual(before);
  });

  it('confirms where a bulk relabeling meets the given label', () => {
    const db = projectWith(paths);
    const ids = paths.map((path) => idOf(db, path));
    const change = decide(db, {
      sampleIds: [...ids, ...ids],
      decision: { kind: 'relabel', classId: classId(db, 'dog') },
      decidedAt,
    });
    expect(change.label).toBe('Relabel 4 images to dog');
    expect(change.samples.map(({ state }) => state)).toEqual(['relabeled', 'relabeled', 'confirmed', 'confirmed']);
  });

  it('accepts the suggestions of the newest run that has any, and says when there are none', () => {
    const db = projectWith(paths);
    const ids = paths.map((path) => idOf(db, path));
    const accept = () => decide(db, { sampleIds: ids, decision: { kind: 'accept-suggestion' }, decidedAt });
    expect(accept).toThrow(
      expect.objectContaining({ code: 'not-found', message: expect.stringContaining('Train first') }),
    );
    runWithFindings(db, { 'dog/1.jpg': { score: 0.9, suggested: 'cat' } });
    applyImport(db, { scanned: [...paths, 'dog/3.jpg'].map((path) => scanned(path)), problems: [] });
    ids.push(idOf(db, 'dog/3.jpg'));
    expect(accept().samples.map(({ state }) => state)).toEqual([
      'confirmed',
      'confirmed',
      'relabeled',
      'confirmed',
      'unreviewed',
    ]);
    expect(undoLabels(db).undoLabel).toBe('Accept the suggestion for 4 images');
  });

  it('refuses unknown samples and classes without changing anything', () => {
    const db = projectWith(paths);
    const id = idOf(db, 'cat/1.jpg');
    expect(() => decide(db, { sampleIds: [id, 99], decision: { kind: 'drop' }, decidedAt })).toThrow(
      expect.objectContaining({ code: 'not-found' }),
    );
    expect(() => decide(db, { sampleIds: [id], decision: { kind: 'relabel', classId: 99 }, decidedAt })).toThrow(
      expect.objectContaining({ code: 'not-found' }),
    );
    expect([reviews(db), undoLabels(db)]).toEqual([[], { undoLabel: null, redoLabel: null }]);
  });

  it('does not record an action that changes nothing, and keeps what can be redone then', () => {
    const db = projectWith(paths);
    const id = idOf(db, 'cat/1.jpg');
    decide(db, { sampleIds: [id], decision: { kind: 'confirm' }, decidedAt });
    decide(db, { sampleIds: [id], decision: { kind: 'drop' }, decidedAt });
    undo(db);
    const change = decide(db, {
      sampleIds: [id],
      decision: { kind: 'confirm' },
      decidedAt: '2027-01-01T00:00:00.000Z',
    });
    expect(change).toMatchObject({
      samples: [{ id, state: 'confirmed' }],
      undoLabel: 'Confirm 1 image',
      redoLabel: 'Drop 1 image',
    });
    expect(reviews(db)).toEqual([['cat/1.jpg', 'confirmed', 'cat', decidedAt]]);
  });
});

describe('undo and redo', () => {
  it('go back to the first action and forth again, with times and all', () => {
    const db = projectWith(paths);
    const ids = paths.map((path) => idOf(db, path));
    const steps = [reviews(db)];
    const act = (sampleIds: number[], decision: Parameters<typeof decide>[1]['decision'], at: string): void => {
      decide(db, { sampleIds, decision, decidedAt: at });
      steps.push(reviews(db));
    };
    act(ids.slice(0, 2), { kind: 'drop' }, '2026-01-01');
    act(ids, { kind: 'confirm' }, '2026-01-02');
    act(ids.slice(1, 3), { kind: 'relabel-new', className: 'fox' }, '2026-01-03');
    act(ids.slice(0, 3), { kind: 'reopen' }, '2026-01-04');
    for (let step = steps.length - 2; step >= 0; step--) {
      expect(undo(db)?.direction).toBe('undone');
      expect(reviews(db)).toEqual(steps[step]);
    }
    expect(undo(db)).toBeNull();
    for (let step = 1; step < steps.length; step++) {
      expect(redo(db)?.direction).toBe('redone');
      expect(reviews(db)).toEqual(steps[step]);
    }
    expect(redo(db)).toBeNull();
  });

  it('discard what was undone once something else is decided, and keep it in the history', () => {
    const db = projectWith(paths);
    const [one, two] = paths.map((path) => idOf(db, path)) as [number, number];
    decide(db, { sampleIds: [one], decision: { kind: 'confirm' }, decidedAt });
    decide(db, { sampleIds: [one], decision: { kind: 'drop' }, decidedAt });
    undo(db);
    decide(db, { sampleIds: [two], decision: { kind: 'skip' }, decidedAt });
    expect(undoLabels(db)).toEqual({ undoLabel: 'Skip 1 image', redoLabel: null });
    undo(db);
    undo(db);
    expect(undo(db)).toBeNull();
    expect(redo(db)?.label).toBe('Confirm 1 image');
    expect(redo(db)?.label).toBe('Skip 1 image');
    expect(redo(db)).toBeNull();
    expect(db.prepare('SELECT label, discarded FROM action ORDER BY id').raw().all()).toEqual([
      ['Confirm 1 image', 0],
      ['Drop 1 image', 1],
      ['Skip 1 image', 0],
    ]);
  });
});

it('counts the review of present samples only', () => {
  const db = projectWith(paths);
  decide(db, { sampleIds: paths.map((path) => idOf(db, path)), decision: { kind: 'confirm' }, decidedAt });
  applyImport(db, { scanned: [...paths.slice(1), 'dog/3.jpg'].map((path) => scanned(path)), problems: [] });
  expect(countReview(db)).toEqual({ unreviewed: 1, confirmed: 3, relabeled: 0, dropped: 0, skipped: 0 });
});
