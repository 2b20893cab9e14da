import { expect, it } from 'vitest';
import type { DecisionInput } from '../../shared/api.ts';
import type { Database } from '../../src-main/store/database.ts';
import { decide } from '../../src-main/store/decisions.ts';
import { undo } from '../../src-main/store/history.ts';
import { readLabelTable, readWork } from '../../src-main/store/overview.ts';
import { classId, idOf, projectWith, runWithFindings } from './fixtures.ts';

const paths = ['cat/1.jpg', 'cat/2.jpg', 'cat/3.jpg', 'dog/1.jpg', 'dog/2.jpg'];

function act(db: Database, minute: number, chosen: readonly string[], decision: DecisionInput): void {
  const decidedAt = `2026-02-01T10:0${minute}:00.000Z`;
  decide(db, { sampleIds: chosen.map((path) => idOf(db, path)), decision, decidedAt, decidedBy: '' });
}

it('lists the actions that stand, with how many more samples they decided', () => {
  const db = projectWith(paths);
  act(db, 1, ['cat/1.jpg', 'cat/2.jpg'], { kind: 'confirm' });
  act(db, 2, ['cat/3.jpg'], { kind: 'drop' });
  undo(db);
  act(db, 3, ['cat/3.jpg'], { kind: 'skip' });
  act(db, 4, ['cat/1.jpg', 'cat/3.jpg'], { kind: 'drop' });
  act(db, 5, ['cat/1.jpg', 'cat/2.jpg'], { kind: 'reopen' });
  act(db, 6, ['dog/1.jpg', 'dog/2.jpg'], { kind: 'confirm' });
  undo(db);
  db.prepare('UPDATE sample SET present = 0 WHERE path = ?').run('cat/2.jpg');
  expect(readWork(db).map(({ madeAt, decided }) => [madeAt.slice(14, 16), decided])).toEqual([
    ['01', 1],
    ['03', 0],
    ['04', 1],
    ['05', -1],
  ]);
});

it('takes a finding about another label than the given one for none', () => {
  const db = projectWith(paths);
  act(db, 1, ['cat/1.jpg'], { kind: 'relabel', classId: classId(db, 'dog') });
  runWithFindings(db, {
    'cat/1.jpg': { score: 0.25, suggested: 'dog' },
    'cat/2.jpg': { score: 0.75, suggested: 'dog' },
  });
  const { score, suggested, current, tested } = readLabelTable(db);
  const [cat, dog] = [classId(db, 'cat'), classId(db, 'dog')];
  expect([[...score], [...suggested]]).toEqual([
    [NaN, 0.75, 0, 0, 0],
    [0, dog, cat, dog, dog],
  ]);
  // The run is of the first of January, which is before the decision; only the training with it shows that it knew.
  expect([[...current], [...tested]]).toEqual([
    [dog, cat, cat, dog, dog],
    [1, 0, 0, 0, 0],
  ]);
});
