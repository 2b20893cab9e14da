import { expect, it } from 'vitest';
import type { DecisionInput } from '../../shared/api.ts';
import type { Overview } from '../../shared/domain.ts';
import { overviewHandlers } from '../../src-main/app/overview.ts';
import type { Project } from '../../src-main/app/projects.ts';
import { editClass } from '../../src-main/store/class-edits.ts';
import type { Database } from '../../src-main/store/database.ts';
import { decide } from '../../src-main/store/decisions.ts';
import { undo } from '../../src-main/store/history.ts';
import { classId, idOf, projectWith, runWithFindings } from '../store/fixtures.ts';

const names = ['cat', 'dog', 'fox'];

/** 300 samples of three classes; a run doubts every fifth of the cats, and takes them for dogs. */
function project(): Database {
  const paths = names.flatMap((name) => Array.from({ length: 100 }, (_, i) => `${name}/${i}.jpg`));
  const db = projectWith(paths);
  const doubted = paths.filter((path, i) => path.startsWith('cat') && i % 5 === 0);
  runWithFindings(
    db,
    Object.fromEntries(doubted.map((path, i) => [path, { score: 0.6 + 0.01 * i, suggested: 'dog' }])),
  );
  return db;
}

async function overviewOf(db: Database): Promise<Overview> {
  return await overviewHandlers(() => ({ db }) as Project).getOverview({});
}

let second = 0;
function act(db: Database, paths: readonly string[], decision: DecisionInput, day = '2026-02-01'): void {
  decide(db, {
    sampleIds: paths.map((path) => idOf(db, path)),
    decision,
    decidedAt: new Date(Date.parse(`${day}T00:00:00.000Z`) + 1000 * ++second).toISOString(),
    decidedBy: '',
  });
}

/** What must be true of every overview that knows a run. */
function expectAgreement({ samples, classes, pairs, remaining, found }: Overview): void {
  const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
  expect(sum(classes.map(({ expectedWrong }) => expectedWrong))).toBeCloseTo(remaining!.expected + found, 6);
  expect(sum(classes.map(({ given }) => given))).toBe(samples);
  expect(sum(classes.map(({ foundWrong }) => foundWrong))).toBe(found);
  expect(sum(pairs.map(({ expected }) => expected))).toBeLessThanOrEqual(remaining!.expected + found + 1e-9);
}

it('knows nothing of noise before a training', async () => {
  const db = projectWith(['cat/1.jpg', 'dog/1.jpg', 'dog/2.jpg']);
  act(db, ['dog/2.jpg'], { kind: 'relabel', classId: classId(db, 'cat') });
  expect(await overviewOf(db)).toMatchObject({
    samples: 3,
    classes: [
      { given: 1, current: 2, foundWrong: 0, expectedWrong: 0 },
      { given: 2, current: 1, foundWrong: 1, expectedWrong: 1 },
    ],
    pairs: [{ givenClassId: classId(db, 'dog'), otherClassId: classId(db, 'cat'), expected: 1 }],
    remaining: null,
    found: 1,
    progress: [{ decided: 1 }],
    pace: { perMinute: null, left: 0 },
  });
});

it('adds up, and follows the decisions and their undoing', async () => {
  const db = project();
  const [cat, dog] = [classId(db, 'cat'), classId(db, 'dog')];
  const before = await overviewOf(db);
  expectAgreement(before);
  expect(before).toMatchObject({ found: 0, progress: [], pace: { left: 20 } });
  expect(before.remaining!.explanation).toContain('Nobody has checked');
  expect(before.pairs[0]).toMatchObject({ givenClassId: cat, otherClassId: dog });

  act(db, ['cat/95.jpg', 'cat/90.jpg'], { kind: 'accept-suggestion' });
  act(db, ['cat/85.jpg'], { kind: 'drop' });
  act(db, ['cat/80.jpg'], { kind: 'confirm' });
  act(db, ['cat/75.jpg'], { kind: 'skip' });
  const after = await overviewOf(db);
  expectAgreement(after);
  expect(after).toMatchObject({ found: 3, pace: { left: 16 } });
  expect(after.progress.map(({ decided }) => decided)).toEqual([2, 3, 4, 4]);
  expect(after.remaining!.explanation).toContain('4 images checked');
  expect(after.classes.find((one) => one.classId === cat)).toMatchObject({
    given: 100,
    current: 97,
    decided: 4,
    foundWrong: 3,
  });

  for (let step = 0; step < 4; step++) undo(db);
  expect(await overviewOf(db)).toEqual(before);
});

it('learns only from what was looked at since the training', async () => {
  const remainingAfter = async (work: (db: Database) => void) => {
    const db = project();
    work(db);
    const overview = await overviewOf(db);
    expectAgreement(overview);
    return overview.remaining!.explanation;
  };
  const cats = Array.from({ length: 100 }, (_, i) => `cat/${i}.jpg`);
  const nobody = 'Nobody has checked a label since this training';
  // The run is of the first of January 2026.
  expect(await remainingAfter((db) => act(db, cats.slice(0, 50), { kind: 'confirm' }, '2025-12-01'))).toContain(nobody);
  // More in one action than anybody sees at once.
  expect(await remainingAfter((db) => act(db, [...cats, 'dog/1.jpg'], { kind: 'confirm' }))).toContain(nobody);
  // A finer distinction than the run could make.
  const toTiger = (db: Database) => act(db, cats.slice(0, 50), { kind: 'relabel-new', className: 'tiger' });
  expect(await remainingAfter(toTiger)).toContain(nobody);
  expect(await remainingAfter((db) => act(db, cats, { kind: 'confirm' }))).toContain('100 images checked');
});

it('leaves out samples that the run has not judged, and says so', async () => {
  const db = project();
  // Given another label outside since the training.
  db.prepare('UPDATE sample SET given_class_id = ? WHERE id = ?').run(classId(db, 'fox'), idOf(db, 'dog/1.jpg'));
  const overview = await overviewOf(db);
  expectAgreement(overview);
  expect(overview.remaining!.explanation).toContain('1 image that the model has not judged');
});

it('takes merged classes for one', async () => {
  const db = project();
  const [cat, dog] = [classId(db, 'cat'), classId(db, 'dog')];
  act(db, ['cat/95.jpg'], { kind: 'accept-suggestion' });
  editClass(db, { kind: 'merge', classIds: [cat], into: dog }, { author: '', madeAt: '2026-02-02T00:00:00.000Z' });
  const overview = await overviewOf(db);
  expectAgreement(overview);
  expect(overview).toMatchObject({ found: 0, pairs: [], pace: { left: 0 } });
  expect(overview.classes.map(({ classId: id, given }) => [id, given])).toEqual([
    [dog, 200],
    [classId(db, 'fox'), 100],
  ]);
});
