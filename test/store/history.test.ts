import { describe, expect, it, vi } from 'vitest';
import type { ClassEdit, DecisionInput } from '../../shared/api.ts';
import { createRandom } from '../../src-main/domain/random.ts';
import { readSampleDetail } from '../../src-main/store/cards.ts';
import { editClass } from '../../src-main/store/class-edits.ts';
import { listClasses } from '../../src-main/store/class-list.ts';
import type { Database } from '../../src-main/store/database.ts';
import { decide } from '../../src-main/store/decisions.ts';
import { jumpTo, listHistory, redo, undo } from '../../src-main/store/history.ts';
import { countReview, listReviewers } from '../../src-main/store/reviews.ts';
import { classId, idOf, projectWith, runWithFindings } from './fixtures.ts';

const paths = ['cat/1.jpg', 'cat/2.jpg', 'dog/1.jpg', 'dog/2.jpg'];

/** Four samples on which Ann, Bob, nobody known and Ann again have decided, the third step taken back and replaced. */
function project() {
  const db = projectWith(paths);
  const [one, two, three, four] = paths.map((path) => idOf(db, path)) as [number, number, number, number];
  const act = (sampleIds: number[], decision: DecisionInput, decidedBy: string, day: number) =>
    decide(db, { sampleIds, decision, decidedAt: `2026-01-0${day}T10:00:00.000Z`, decidedBy });
  act([one, two], { kind: 'drop' }, 'Ann', 1);
  act([two, three], { kind: 'relabel-new', className: 'fox' }, 'Bob', 2);
  act([four], { kind: 'skip' }, 'Bob', 3);
  undo(db);
  act([three], { kind: 'confirm' }, '', 4);
  act([one], { kind: 'relabel', classId: classId(db, 'fox') }, 'Ann', 5);
  return { db, one, two, three, four };
}

describe('listHistory', () => {
  const whole = { standing: 4, authors: ['Ann', 'Bob', ''] };

  it('tells who did what when, newest first, a page at a time', () => {
    const { db, one, two, three, four } = project();
    undo(db);
    const first = listHistory(db, { before: null, limit: 3 });
    expect(first).toEqual({
      total: 5,
      entries: [
        entry(5, 'Relabel 1 image to fox', 'Ann', [one], 'undone'),
        entry(4, 'Confirm 1 image', '', [three], 'done'),
        entry(3, 'Skip 1 image', 'Bob', [four], 'discarded'),
      ],
      ...whole,
    });
    expect(listHistory(db, { before: first.entries.at(-1)!.id, limit: 3 })).toEqual({
      total: 5,
      entries: [
        entry(2, 'Relabel 2 images to fox', 'Bob', [two, three], 'done'),
        entry(1, 'Drop 2 images', 'Ann', [one, two], 'done'),
      ],
      ...whole,
    });
    expect(listHistory(db, { before: 1, limit: 3 })).toEqual({ total: 5, entries: [], ...whole });
  });

  it('tells of one person alone, the unnamed one too, and who there is', () => {
    const { db } = project();
    const of = (author: string, before: number | null = null, limit = 9) => {
      const { total, entries, authors } = listHistory(db, { before, limit, author });
      expect(authors).toEqual(['Ann', 'Bob', '']);
      return [total, ...entries.map(({ id }) => id)];
    };
    expect([of('Ann'), of('Bob'), of(''), of('Eve')]).toEqual([[2, 5, 1], [2, 3, 2], [1, 4], [0]]);
    expect([of('Ann', null, 1), of('Ann', 5, 1), of('Ann', 1, 1)]).toEqual([[2, 5], [2, 1], [2]]);
    expect(listHistory(db, { before: null, limit: 1, author: 'Bob' }).standing).toBe(5);
    jumpTo(db, null);
    expect(listHistory(db, { before: null, limit: 1, author: 'Bob' }).standing).toBeNull();
    expect(listHistory(projectWith(paths), { before: null, limit: 1 })).toEqual({
      total: 0,
      entries: [],
      standing: null,
      authors: [],
    });
  });

  it('goes through an index to the steps of one person and to the names, past those of all others', () => {
    const { db } = project();
    const prepare = vi.spyOn(db, 'prepare');
    listHistory(db, { before: 5, limit: 9, author: 'Ann' });
    const statements = prepare.mock.calls.map(([sql]) => sql);
    prepare.mockRestore();
    const values = { author: 'Ann', before: 5, limit: 9 };
    const looks = statements
      .flatMap(
        (sql) => db.prepare(`EXPLAIN QUERY PLAN ${sql.replaceAll('?', '1')}`).all(values) as { detail: string }[],
      )
      .map(({ detail }) => detail)
      .filter((detail) => /\baction\b|TEMP B-TREE/.test(detail));
    expect(looks).toEqual([
      'SEARCH action USING INDEX action_by_author (author=? AND rowid<?)',
      'SEARCH action USING COVERING INDEX action_by_author (author=?)',
      'SEARCH action USING COVERING INDEX action_by_author',
      'SEARCH action USING COVERING INDEX action_by_author (author>?)',
    ]);
  });

  it('shows a few samples of an action of many', () => {
    const db = projectWith(Array.from({ length: 40 }, (_, i) => `class${i % 2}/${i}.jpg`));
    decide(db, { sampleIds: Array.from({ length: 40 }, (_, i) => 40 - i), decision: { kind: 'drop' }, decidedAt: '' });
    const [only] = listHistory(db, { before: null, limit: 1 }).entries;
    expect(only).toMatchObject({ samples: 40, exampleIds: [1, 2, 3, 4, 5, 6] });
  });
});

describe('who decided', () => {
  it('is kept right through undo and redo', () => {
    const { db, one, two, three, four } = project();
    const deciders = () => [one, two, three, four].map((id) => readSampleDetail(db, id).decidedBy);
    expect([deciders(), listReviewers(db)]).toEqual([
      ['Ann', 'Bob', '', null],
      ['Ann', 'Bob'],
    ]);
    undo(db);
    undo(db);
    expect(deciders()).toEqual(['Ann', 'Bob', 'Bob', null]);
    undo(db);
    expect([deciders(), listReviewers(db)]).toEqual([['Ann', 'Ann', null, null], ['Ann']]);
    redo(db);
    expect(deciders()).toEqual(['Ann', 'Bob', 'Bob', null]);
  });
});

describe('jumpTo', () => {
  it('goes back to a step and forth to another in one, and answers what has changed', () => {
    const { db, one, two, three } = project();
    const states = () => listHistory(db, { before: null, limit: 9 }).entries.map(({ status }) => status);
    expect(jumpTo(db, 1)).toEqual({
      label: 'Back to: Drop 2 images',
      direction: 'undone',
      samples: [
        { id: one, state: 'dropped', currentClassId: null },
        { id: two, state: 'dropped', currentClassId: null },
        { id: three, state: 'unreviewed', currentClassId: classId(db, 'dog') },
      ],
      review: { unreviewed: 2, confirmed: 0, relabeled: 0, dropped: 2, skipped: 0 },
      undoLabel: 'Drop 2 images',
      redoLabel: 'Relabel 2 images to fox',
      classes: listClasses(db),
      everything: false,
    });
    expect(states()).toEqual(['undone', 'undone', 'discarded', 'undone', 'done']);
    expect(jumpTo(db, 4)).toMatchObject({
      label: 'Forward to: Confirm 1 image',
      direction: 'redone',
      samples: [
        { id: two, state: 'relabeled', currentClassId: classId(db, 'fox') },
        { id: three, state: 'confirmed' },
      ],
      redoLabel: 'Relabel 1 image to fox',
    });
    expect(states()).toEqual(['undone', 'done', 'discarded', 'done', 'done']);
    expect(jumpTo(db, null)).toMatchObject({
      label: 'Back to: the start',
      undoLabel: null,
      redoLabel: 'Drop 2 images',
    });
    expect(countReview(db).unreviewed).toBe(4);
  });

  it('changes nothing where the project is there already', () => {
    const { db } = project();
    const before = dump(db);
    expect(jumpTo(db, 5)).toMatchObject({ samples: [], classes: null, everything: false, redoLabel: null });
    expect(dump(db)).toEqual(before);
    jumpTo(db, null);
    expect(jumpTo(db, null)).toMatchObject({ samples: [], undoLabel: null });
  });

  it('refuses steps that are not there, or cannot be made again', () => {
    const { db } = project();
    const before = dump(db);
    expect(() => jumpTo(db, 99)).toThrow(expect.objectContaining({ code: 'not-found' }));
    expect(() => jumpTo(db, 3)).toThrow(
      expect.objectContaining({ code: 'invalid-input', message: expect.stringContaining('"Skip 1 image" was undone') }),
    );
    expect(dump(db)).toEqual(before);
  });
});

it.each([1, 2, 3, 4])('any sequence of decisions and class edits can be walked back and forth (%i)', (seed) => {
  const { next, integer: below } = createRandom(seed);
  const samples = 30;
  const db = projectWith(Array.from({ length: samples }, (_, i) => `class${i % 5}/${i}.jpg`));
  runWithFindings(
    db,
    Object.fromEntries(
      Array.from({ length: samples }, (_, i) => [
        `class${i % 5}/${i}.jpg`,
        { score: next(), suggested: `class${below(5)}` },
      ]),
    ),
  );
  const anyClass = (): number => {
    const classes = listClasses(db);
    return classes[below(classes.length)]!.id;
  };
  const anySamples = (): number[] => Array.from({ length: 1 + below(6) }, () => 1 + below(samples));
  const anyName = (): string => `name${below(8)}`;
  const decisions: (() => DecisionInput)[] = [
    () => ({ kind: 'confirm' }),
    () => ({ kind: 'relabel', classId: anyClass() }),
    () => ({ kind: 'relabel-new', className: anyName() }),
    () => ({ kind: 'accept-suggestion' }),
    () => ({ kind: 'drop' }),
    () => ({ kind: 'skip' }),
    () => ({ kind: 'reopen' }),
  ];
  const edits: (() => ClassEdit)[] = [
    () => ({ kind: 'create', name: anyName() }),
    () => ({ kind: 'rename', classId: anyClass(), name: anyName() }),
    () => ({ kind: 'merge', classIds: [anyClass()], into: anyClass() }),
    () => ({ kind: 'split', sampleIds: anySamples(), name: anyName() }),
    () => ({ kind: 'color', classId: anyClass(), color: below(2) === 0 ? null : `#00000${below(9)}` }),
    () => ({ kind: 'hotkey', classId: anyClass(), hotkey: below(3) === 0 ? null : String(below(3)) }),
  ];
  const madeAt = '2026-01-01T00:00:00.000Z';
  const step = (): void => {
    try {
      if (below(2) === 0) {
        const decision = decisions[below(decisions.length)]!();
        decide(db, { sampleIds: anySamples(), decision, decidedAt: madeAt, decidedBy: anyName() });
      } else {
        editClass(db, edits[below(edits.length)]!(), { author: anyName(), madeAt });
      }
    } catch (error) {
      // A name that is taken, a class into itself, the last class gone: refused, and nothing has changed.
      expect(error).toMatchObject({ code: 'invalid-input' });
    }
  };

  const newest = (): number | null =>
    listHistory(db, { before: null, limit: 500 }).entries.find(({ status }) => status === 'done')?.id ?? null;
  /** The project after each step that stands. */
  const road: { id: number | null; state: unknown }[] = [{ id: null, state: dump(db) }];
  for (let i = 0; i < 150; i++) {
    if (below(6) > 0) step();
    else if (undo(db) !== null) road.pop();
    if (newest() !== road.at(-1)!.id) road.push({ id: newest(), state: dump(db) });
    expect(dump(db)).toEqual(road.at(-1)!.state);
  }
  expect(road.length).toBeGreaterThan(30);
  expect(db.pragma('foreign_key_check')).toEqual([]);

  for (const { state } of road.slice(0, -1).toReversed()) {
    expect(undo(db)?.direction).toBe('undone');
    expect(dump(db)).toEqual(state);
  }
  expect(undo(db)).toBeNull();
  for (const { state } of road.slice(1)) {
    redo(db);
    expect(dump(db)).toEqual(state);
  }
  for (let i = 0; i < 20; i++) {
    const { id, state } = road[below(road.length)]!;
    jumpTo(db, id);
    expect(dump(db)).toEqual(state);
  }
});

function entry(id: number, label: string, author: string, exampleIds: number[], status: string): unknown {
  const madeAt = `2026-01-0${id}T10:00:00.000Z`;
  return { id, label, author, madeAt, samples: exampleIds.length, exampleIds, status };
}

/** All that actions change, as stored: samples, decisions, and classes that are there. */
function dump(db: Database): unknown[] {
  return ['sample', 'review', 'class WHERE removed = 0'].map((table) =>
    db.prepare(`SELECT * FROM ${table} ORDER BY 1`).raw().all(),
  );
}
