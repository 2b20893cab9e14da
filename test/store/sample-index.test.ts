import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { emptyFilter, type DecisionInput, type QueueFilter, type QueueQuery } from '../../shared/api.ts';
import { reviewStates, type RunId } from '../../shared/domain.ts';
import { createRandom, type Random } from '../../src-main/domain/random.ts';
import { changesOf } from '../../src-main/store/changes.ts';
import { editClass } from '../../src-main/store/class-edits.ts';
import { listClasses } from '../../src-main/store/class-list.ts';
import { inTransaction, openDatabase, type Database } from '../../src-main/store/database.ts';
import { decide } from '../../src-main/store/decisions.ts';
import { replaceFindings } from '../../src-main/store/findings.ts';
import { jumpTo, redo, undo } from '../../src-main/store/history.ts';
import { queryQueue } from '../../src-main/store/queue.ts';
import { countReview } from '../../src-main/store/reviews.ts';
import { createRun, trainingSamples } from '../../src-main/store/runs.ts';
import { applyImport } from '../support/import-samples.ts';
import { findingsSummary, plan, projectWith, scanned } from './fixtures.ts';
import { askQueue } from './queue-oracle.ts';

const authors = ['', 'Ann', 'Bob'];
const words = ['', 'cat', 'DOG 1', '/1', 'jpg', 'wolf'];

it('answers as the tables do, whatever has happened to them, here and in another process', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'winnow-index-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'project.winnow');
  const db = projectWith(randomPaths(createRandom(0)), openDatabase(file, { create: true }));
  const elsewhere = openDatabase(file, { create: false });
  // A crash is not the matter here.
  for (const connection of [db, elsewhere]) connection.pragma('synchronous = OFF');
  const random = createRandom(1);
  const events = eventsOf(random);
  const happened = new Map<string, number>();
  let matched = 0;
  for (let step = 0; step < 400; step++) {
    const [name, happen] = pick(random, events);
    happened.set(name, (happened.get(name) ?? 0) + 1);
    // The index of this connection is there from the first step on, and is asked now and then only.
    happen(random.integer(4) === 0 ? elsewhere : db, step);
    for (let asked = random.integer(3); asked > 0; asked--) {
      const query = randomQuery(random, db);
      const expected = askQueue(db, query);
      const { ids, states } = queryQueue(db, query);
      expect({ step, query, ids: [...ids], states: [...states] }).toEqual({ step, query, ...expected });
      if (expected.ids.length > 0) matched++;
    }
  }
  // Everything was tried, and the queries do not all come to nothing.
  expect([...happened.keys()].sort()).toEqual(events.map(([name]) => name).sort());
  expect(matched).toBeGreaterThan(100);
  db.close();
  elsewhere.close();
});

it('knows inside a transaction what it has changed so far, and forgets what was rolled back', () => {
  const db = projectWith(['cat/1.jpg', 'cat/2.jpg', 'dog/1.jpg']);
  const failing = (): void =>
    inTransaction(db, () => {
      decide(db, { sampleIds: [1], decision: { kind: 'drop' }, decidedAt: '2026-01-01' });
      applyImport(db, { scanned: ['cat/1.jpg', 'cat/2.jpg'].map((file) => scanned(file)), problems: [] });
      expect(countReview(db)).toMatchObject({ dropped: 1, unreviewed: 1 });
      throw new Error('Not this time.');
    });
  for (let time = 0; time < 2; time++) {
    expect(failing).toThrow('Not this time.');
    expect(countReview(db)).toMatchObject({ dropped: 0, unreviewed: 3 });
  }
});

it('reads a decision once, however many follow before somebody looks', () => {
  const db = projectWith(['cat/1.jpg', 'cat/2.jpg', 'dog/1.jpg']);
  countReview(db);
  decide(db, { sampleIds: [1, 2, 3], decision: { kind: 'drop' }, decidedAt: '2026-01-01' });
  undo(db);
  expect(changesOf(db)).toEqual({ decided: new Set(), others: false });
});

type Event = [name: string, happen: (db: Database, step: number) => void];

function eventsOf(random: Random): Event[] {
  const kinds: DecisionInput['kind'][] = [
    'confirm',
    'relabel',
    'relabel-new',
    'accept-suggestion',
    'drop',
    'skip',
    'reopen',
  ];
  const decideOnSome = (db: Database, step: number): void => {
    const kind = pick(random, kinds);
    if (kind === 'accept-suggestion' && db.prepare('SELECT 1 FROM finding').get() === undefined) return;
    const classId = pick(random, listClasses(db)).id;
    const sampleIds = some(random, presentIds(db));
    const decision = { kind, classId, className: 'wolf' } as unknown as DecisionInput;
    // Now and then at the same moment as the decision before.
    const decidedAt = new Date(Date.UTC(2026, 0, 1) + 1000 * (step - random.integer(2))).toISOString();
    decide(db, { sampleIds, decision, decidedAt, decidedBy: pick(random, authors) });
  };
  return [
    ['decide', decideOnSome],
    ['decide again', decideOnSome],
    ['undo', (db) => undo(db)],
    ['redo', (db) => redo(db)],
    [
      'jump',
      (db) => {
        const ids = db.prepare('SELECT id FROM action WHERE discarded = 0').pluck().all() as number[];
        if (ids.length > 0) jumpTo(db, pick(random, ids));
      },
    ],
    [
      'merge',
      (db) => {
        const classes = listClasses(db);
        const [one, other] = [pick(random, classes).id, pick(random, classes).id];
        const by = { author: 'Ann', madeAt: '2026-02-01T00:00:00.000Z' };
        if (one !== other && classes.length > 2) editClass(db, { kind: 'merge', classIds: [one], into: other }, by);
      },
    ],
    ['import', (db) => applyImport(db, { scanned: randomPaths(random).map((file) => scanned(file)), problems: [] })],
    ['train', (db) => storeFindings(db, random)],
    ['draw a map', (db) => storeMap(db, random)],
  ];
}

/** Some two thirds of the same sixty files, so that an import loses some and finds others again. */
function randomPaths(random: Random): string[] {
  return ['cat', 'dog', 'Ärger', 'owl']
    .flatMap((name) => Array.from({ length: 15 }, (_, i) => `${name}/${i}.jpg`))
    .filter(() => random.integer(3) > 0);
}

/** Few different numbers, so that many are equal. */
function storeFindings(db: Database, random: Random): void {
  const samples = trainingSamples(db);
  const classIds = [...new Set(samples.classIds)];
  const runId = createRun(db, { plan, classIds, samples, startedAt: '2026-01-01T00:00:00.000Z' });
  const tenth = (): number => random.integer(11) / 10;
  inTransaction(db, () =>
    replaceFindings(db, {
      runId,
      summary: findingsSummary(runId, 0),
      findings: Array.from(samples.ids, (sampleId) => ({
        sampleId,
        suggestedClassId: pick(random, classIds),
        score: tenth(),
        weight: tenth(),
        givenTarget: 0.5,
        suggestedTarget: 0.5,
        flipEpoch: null,
        flagged: random.integer(2) === 1,
        abstention: random.integer(2) === 1 ? tenth() : null,
      })),
    }),
  );
}

function storeMap(db: Database, random: Random): void {
  const runId = db.prepare('SELECT max(run_id) FROM run_sample').pluck().get() as RunId | null;
  if (runId === null) return;
  const samples = db.prepare('SELECT count(*) FROM run_sample WHERE run_id = ?').pluck().get(runId) as number;
  const positions = Float32Array.from({ length: 2 * samples }, () => 2 * random.next() - 1);
  db.prepare('INSERT OR REPLACE INTO map (run_id, positions) VALUES (?, ?)').run(runId, Buffer.from(positions.buffer));
}

function randomQuery(random: Random, db: Database): QueueQuery {
  const classIds = db.prepare('SELECT id FROM class').pluck().all() as number[];
  const actionIds = db.prepare('SELECT id FROM action').pluck().all() as number[];
  const sometimes = <T>(make: () => T, otherwise: T): T => (random.integer(5) === 0 ? make() : otherwise);
  const filter: QueueFilter = {
    ...emptyFilter,
    states: sometimes(() => some(random, reviewStates), []),
    givenClassIds: sometimes(() => some(random, classIds), []),
    suggestedClassIds: sometimes(() => some(random, classIds), []),
    currentClassIds: sometimes(() => some(random, classIds), []),
    decidedBy: sometimes(() => some(random, authors), []),
    actionId: sometimes(() => (actionIds.length === 0 ? null : pick(random, actionIds)), null),
    region: sometimes(() => Array.from({ length: 2 * (3 + random.integer(6)) }, () => 2.4 * random.next() - 1.2), null),
    flaggedOnly: sometimes(() => true, false),
    minScore: sometimes(() => random.integer(11) / 10, null),
    maxScore: sometimes(() => random.integer(11) / 10, null),
    triage: sometimes(
      () => ({ part: pick(random, ['accept', 'look'] as const), threshold: random.integer(11) / 10 }),
      null,
    ),
    search: sometimes(() => pick(random, words), ''),
  };
  return { filter, sort: pick(random, ['doubt', 'abstention', 'confidence', 'path', 'decided'] as const) };
}

function presentIds(db: Database): number[] {
  return db.prepare('SELECT id FROM sample WHERE present = 1').pluck().all() as number[];
}

function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.integer(list.length)]!;
}

/** At least one of them. */
function some<T>(random: Random, list: readonly T[]): T[] {
  const chosen = list.filter(() => random.integer(3) === 0);
  return chosen.length > 0 ? chosen : [pick(random, list)];
}
