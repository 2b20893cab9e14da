import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { expect, it, onTestFinished } from 'vitest';
import type { TrainingPlan } from '../../shared/domain.ts';
import { readSampleDetail } from '../../src-main/store/cards.ts';
import { listClasses } from '../../src-main/store/class-list.ts';
import { openDatabase } from '../../src-main/store/database.ts';
import { readFindingsSummary } from '../../src-main/store/findings.ts';
import { listHistory, redo, undo } from '../../src-main/store/history.ts';
import { migrations } from '../../src-main/store/migrations.ts';
import { addRunNote, latestRun, runById, setRunStatus } from '../../src-main/store/runs.ts';
import { applyImport } from '../support/import-samples.ts';
import { epochReport, findingsSummary, plan, scanned } from './fixtures.ts';

/** A project as version 1 left it: one run of two epochs over two samples, and a decision. */
function versionOneProject(file: string): Partial<TrainingPlan> {
  const {
    recipe: _recipe,
    network: _network,
    optimizer: _optimizer,
    schedule: _schedule,
    augmentation: _augmentation,
    attack: _attack,
    preset: _preset,
    startFrom: _startFrom,
    ...oldPlan
  } = { ...plan, samples: 2, classes: 2, reasons: ["It's 32 × 32 pixels.", 'No more.'] };
  const db = new BetterSqlite3(file);
  db.pragma('foreign_keys = ON');
  db.exec(migrations[0]!);
  db.pragma('application_id = 0x57494e4f');
  db.pragma('user_version = 1');
  db.exec(`
    INSERT INTO class VALUES (1, 'cat'), (2, 'dog');
    INSERT INTO sample VALUES (1, 'cat/1.jpg', 'aa', 10, 1, 32, 32, 'jpeg', 1, 1), (2, 'dog/1.jpg', 'bb', 10, 1, 32, 32, 'jpeg', 2, 1);
    INSERT INTO review VALUES (2, 'confirmed', 2, '2026-01-01');
  `);
  db.prepare("INSERT INTO run VALUES (7, 'done', ?, '2026-01-01', '2026-01-02', NULL, ?)").run(
    JSON.stringify(oldPlan),
    JSON.stringify(findingsSummary(7, 1)),
  );
  db.exec(`
    INSERT INTO run_class VALUES (7, 0, 1), (7, 1, 2);
    INSERT INTO run_sample VALUES (7, 0, 1, 1), (7, 1, 2, 2);
    INSERT INTO epoch VALUES (7, 0, 1.5, 0.5, 0.1, 100, 3, 6, 1), (7, 1, 1.5, 0.5, 0.1, 100, 3, 6, 1);
    INSERT INTO finding VALUES (7, 1, 0.75, 2, 0.75, 0.25, 0.75, 1, 1), (7, 2, 0.25, 2, 0.75, 0.75, 0.75, NULL, 0);
  `);
  const insertTargets = db.prepare('INSERT INTO epoch_target VALUES (7, ?, 0, ?, ?)');
  for (const [epoch, given] of [1, 0.25].entries()) {
    const targets = new Float16Array([given, 1 - given, 0.25, 0.75]);
    const weights = new Float16Array([Math.max(given, 1 - given), 0.75]);
    insertTargets.run(epoch, Buffer.from(targets.buffer), Buffer.from(weights.buffer));
  }
  db.close();
  return oldPlan;
}

it('brings a project of version 1 up to date, and nothing in it is lost', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'winnow-migration-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'old.winnow');
  const oldPlan = versionOneProject(file);

  const db = openDatabase(file, { create: false });
  onTestFinished(() => void db.close());
  expect(db.pragma('user_version', { simple: true })).toBe(migrations.length);
  expect(db.pragma('foreign_key_check')).toEqual([]);
  expect(latestRun(db)).toEqual({
    id: 7,
    status: 'done',
    plan: {
      ...oldPlan,
      recipe: 'sat',
      network: 'compact',
      optimizer: 'sgd-nesterov',
      schedule: { kind: 'one-cycle' },
      augmentation: 'shift-flip',
      attack: null,
      preset: null,
      startFrom: null,
    },
    epochs: [epochReport(0), epochReport(1)],
    startedAt: '2026-01-01',
    endedAt: '2026-01-02',
    error: null,
    notes: [],
  });
  expect(readFindingsSummary(db)).toEqual(findingsSummary(7, 1));
  expect(readSampleDetail(db, 1)).toMatchObject({
    finding: { score: 0.75, flagged: true, flipEpoch: 1, abstention: null },
    history: { epochs: [0, 1], given: [1, 0.25], suggested: [0, 0.75], weight: [1, 0.75] },
  });
  expect(readSampleDetail(db, 2)).toMatchObject({ state: 'confirmed', currentClassId: 2 });
});

it('brings a project of version 2 up to date: its classes, decisions and history are what they were', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'winnow-migration-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'old.winnow');
  const old = new BetterSqlite3(file);
  old.pragma('foreign_keys = ON');
  for (const step of migrations.slice(0, 2)) old.exec(step);
  old.pragma('application_id = 0x57494e4f');
  old.pragma('user_version = 2');
  old.exec(`
    INSERT INTO class VALUES (3, 'cat'), (5, 'a "dog"'), (9, 'made by hand');
    INSERT INTO sample VALUES (1, 'cat/1.jpg', 'hash-of-cat/1.jpg', 1000, 1700000000000.25, 32, 24, 'jpeg', 3, 1),
                              (2, 'dog/1.jpg', 'hash-of-dog/1.jpg', 1000, 1700000000000.25, 32, 24, 'jpeg', 5, 1);
    INSERT INTO action VALUES (1, 'Drop 1 image', '2026-01-01', 1, 1), (2, 'Relabel 1 image to made by hand', '2026-01-02', 0, 0),
                              (3, 'Confirm 1 image', '2026-01-03', 1, 0);
    INSERT INTO action_change VALUES (1, 1, 'unreviewed', NULL, NULL, 'dropped', NULL), (2, 1, 'unreviewed', NULL, NULL, 'relabeled', 9),
                                     (3, 2, 'unreviewed', NULL, NULL, 'confirmed', 5);
    INSERT INTO review VALUES (1, 'relabeled', 9, '2026-01-02');
  `);
  old
    .prepare("INSERT INTO run VALUES (7, 'done', ?, '2026-01-01', '2026-01-02', NULL, ?)")
    .run(JSON.stringify(plan), JSON.stringify(findingsSummary(7, 1)));
  old.exec(`
    INSERT INTO run_class VALUES (7, 0, 3), (7, 1, 5);
    INSERT INTO run_sample VALUES (7, 0, 1, 3), (7, 1, 2, 5);
    INSERT INTO finding VALUES (7, 1, 0.75, 5, 0.75, 0.25, 0.75, 1, 1, NULL);
  `);
  old.close();

  const db = openDatabase(file, { create: false });
  onTestFinished(() => void db.close());
  expect(db.pragma('foreign_key_check')).toEqual([]);
  expect(listClasses(db)).toEqual([
    { id: 5, name: 'a "dog"', count: 1, currentCount: 1, color: null, hotkey: null, exampleIds: [2] },
    { id: 3, name: 'cat', count: 1, currentCount: 0, color: null, hotkey: null, exampleIds: [1] },
    { id: 9, name: 'made by hand', count: 0, currentCount: 1, color: null, hotkey: null, exampleIds: [1] },
  ]);
  expect(readSampleDetail(db, 1)).toMatchObject({ currentClassId: 9, decidedBy: '', finding: { suggestedClassId: 5 } });
  expect(listHistory(db, { before: null, limit: 10 }).entries).toMatchObject([
    { id: 3, label: 'Confirm 1 image', author: '', madeAt: '2026-01-03', samples: 1, status: 'undone' },
    { id: 2, exampleIds: [1], status: 'done' },
    { id: 1, status: 'discarded' },
  ]);
  expect(redo(db)?.samples).toEqual([{ id: 2, state: 'confirmed', currentClassId: 5 }]);
  undo(db);
  expect(undo(db)).toMatchObject({ samples: [{ id: 1, state: 'unreviewed', currentClassId: 3 }], classes: null });
  // What the folder calls them is known: nothing changes with the next import.
  const files = [scanned('cat/1.jpg'), scanned('dog/1.jpg', { givenClass: 'a "dog"' })];
  expect(applyImport(db, { scanned: files, problems: [] })).toMatchObject({ unchanged: 2, changed: 0 });
});

it('brings a project of version 3 up to date: its runs keep what hangs on them, and may be paused from now on', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'winnow-migration-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'old.winnow');
  const old = new BetterSqlite3(file);
  old.pragma('foreign_keys = ON');
  for (const step of migrations.slice(0, 3)) old.exec(step);
  old.pragma('application_id = 0x57494e4f');
  old.pragma('user_version = 3');
  old.exec(`
    INSERT INTO class (id, name, source_name) VALUES (3, 'cat', 'cat'), (5, 'dog', 'dog');
    INSERT INTO sample VALUES (1, 'cat/1.jpg', 'aa', 10, 1, 32, 32, 'jpeg', 3, 1), (2, 'dog/1.jpg', 'bb', 10, 1, 32, 32, 'jpeg', 5, 1);
  `);
  const insertRun = old.prepare("INSERT INTO run VALUES (?, ?, ?, '2026-01-01', '2026-01-02', ?, ?)");
  insertRun.run(7, 'done', JSON.stringify(plan), null, JSON.stringify(findingsSummary(7, 0)));
  insertRun.run(8, 'failed', JSON.stringify(plan), 'It went wrong.', null);
  old.exec(`
    INSERT INTO run_class VALUES (7, 0, 3), (7, 1, 5);
    INSERT INTO run_sample VALUES (7, 0, 1, 3), (7, 1, 2, 5);
    INSERT INTO epoch (run_id, epoch, loss, learning_rate, images_per_second, seconds, seconds_left, doubts, accuracy)
      VALUES (7, 0, 1.5, 0.1, 100, 3, 6, 1, 0.5);
    INSERT INTO epoch_target VALUES (7, 0, 0, x'00', x'00');
    INSERT INTO finding VALUES (7, 1, 0.75, 5, 0.75, 0.25, 0.75, 1, 1, NULL);
    INSERT INTO embedding VALUES (7, 0, 1, x'003c003c');
    INSERT INTO map VALUES (7, x'00');
  `);
  old.close();

  const db = openDatabase(file, { create: false });
  onTestFinished(() => void db.close());
  expect(db.pragma('foreign_key_check')).toEqual([]);
  expect(latestRun(db)).toMatchObject({ id: 8, status: 'failed', error: 'It went wrong.', notes: [] });
  expect(runById(db, 7)).toMatchObject({ status: 'done', epochs: [epochReport(0)] });
  expect(readFindingsSummary(db)).toEqual(findingsSummary(7, 0));
  setRunStatus(db, { runId: 8, status: 'paused' });
  addRunNote(db, 8, 'A "note".');
  addRunNote(db, 8, 'Another.');
  expect(latestRun(db)).toMatchObject({ status: 'paused', notes: ['A "note".', 'Another.'] });
  // What belongs to a run still goes with it.
  db.exec('DELETE FROM run WHERE id = 7');
  for (const table of ['run_class', 'run_sample', 'epoch', 'epoch_target', 'finding', 'embedding', 'map'])
    expect(db.prepare(`SELECT count(*) AS rows FROM ${table}`).get(), table).toEqual({ rows: 0 });
});

it('brings a project of version 5 up to date: each step of the history knows how many samples it has changed', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'winnow-migration-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'old.winnow');
  const old = new BetterSqlite3(file);
  for (const step of migrations.slice(0, 5)) old.exec(step);
  old.pragma('application_id = 0x57494e4f');
  old.pragma('user_version = 5');
  old.exec(`
    INSERT INTO class (id, name, source_name) VALUES (3, 'cat', 'cat');
    INSERT INTO sample VALUES (1, 'cat/1.jpg', 'aa', 10, 1, 32, 32, 'jpeg', 3, 1), (2, 'cat/2.jpg', 'bb', 10, 1, 32, 32, 'jpeg', 3, 1);
    INSERT INTO action VALUES (1, 'Drop 2 images', '2026-01-01', 0, 0, 'Ann'), (2, 'Rename cat to feline', '2026-01-02', 0, 0, 'Bob'),
                              (3, 'Drop 1 image', '2026-01-03', 1, 0, '');
    INSERT INTO action_change VALUES (1, 1, 'unreviewed', NULL, NULL, 'dropped', NULL, NULL),
                                     (1, 2, 'unreviewed', NULL, NULL, 'dropped', NULL, NULL),
                                     (3, 2, 'dropped', NULL, '2026-01-01', 'dropped', NULL, 'Ann');
  `);
  old.close();

  const db = openDatabase(file, { create: false });
  onTestFinished(() => void db.close());
  expect(db.pragma('user_version', { simple: true })).toBe(migrations.length);
  expect(listHistory(db, { before: null, limit: 10 })).toMatchObject({
    entries: [
      { id: 3, samples: 1, status: 'undone' },
      { id: 2, samples: 0 },
      { id: 1, samples: 2 },
    ],
    standing: 2,
    authors: ['Ann', 'Bob', ''],
  });
  expect(listHistory(db, { before: null, limit: 10, author: 'Ann' }).entries).toMatchObject([{ id: 1 }]);
});
