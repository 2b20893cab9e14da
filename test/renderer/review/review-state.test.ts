import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { emptyFilter } from '../../../shared/api.ts';
import { createDispatcher } from '../../../shared/transport.ts';
import { AppState } from '../../../src-renderer/app-state.svelte.ts';
import { ReviewState } from '../../../src-renderer/review/review-state.svelte.ts';
import { createFakeService } from '../fake-service.ts';

let folder: string;
let app: AppState;
let review: ReviewState;
/** Input of every call of `decide`, in order. */
let decided: { sampleIds: number[] }[];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'winnow-review-'));
  await mkdir(path.join(folder, 'images'));
  const rows = Array.from({ length: 300 }, (_, index) => `c${index % 4}/${index}.jpg,c${index % 4}`);
  await writeFile(path.join(folder, 'labels.csv'), ['file,label', ...rows].join('\n'));
});

afterAll(() => rm(folder, { recursive: true }));

beforeEach(async () => {
  const service = await createFakeService({ folder, samples: null, open: true, trained: true });
  const dispatch = createDispatcher(service.handlers, (method, error) => {
    throw new Error(method, { cause: error });
  });
  decided = [];
  app = new AppState({
    transport: {
      invoke: (method, input) => {
        if (method === 'decide') decided.push(input as { sampleIds: number[] });
        return dispatch(method, input);
      },
      subscribe: (event, listener) => service.subscribe(event as 'reviewChanged', listener),
    },
    watchConnection: (listener) => {
      listener('open');
      return () => undefined;
    },
    pathForFile: null,
  });
  const [project, findings] = [await app.client.getProject({}), await app.client.getFindings({})];
  if (!project.ok || !findings.ok) throw new Error('The fake service has no project.');
  app.project = project.value;
  app.findings = findings.value;
  review = new ReviewState(app);
  await review.refresh();
  review.loadCards(0, review.ids.length);
  await expect.poll(() => review.cards.size).toBe(review.ids.length);
});

test('begins with what is flagged, at the first undecided sample', () => {
  expect(review.filter).toEqual({ ...emptyFilter, flaggedOnly: true });
  expect(review.ids.length).toBeGreaterThan(10);
  expect([review.cursor, review.decidedCount]).toEqual([0, 0]);
});

test('begins with the queue that was chosen elsewhere, once', async () => {
  const filter = { ...emptyFilter, triage: { part: 'look' as const, threshold: 0.9 } };
  app.queueToReview = { filter, sort: 'abstention' };
  const [first, second] = [new ReviewState(app), new ReviewState(app)];
  await first.refresh();
  expect([first.filter, first.sort, first.isFiltered]).toEqual([filter, 'abstention', true]);
  expect(first.ids).toEqual(review.ids.filter((id) => (review.cards.get(id)?.finding?.score ?? 0) >= 0.9));
  expect(second.filter).toEqual(second.defaultFilter);
});

test('look-alikes show for the sample they were asked for, with what is decided about them', async () => {
  const [first = 0, second = 0] = review.ids;
  const leaving = review.loadLookAlikes(first);
  review.moveTo(1);
  await leaving;
  expect(review.lookAlikes).toBe(null);
  await review.loadLookAlikes(second);
  const alike = review.lookAlikes?.cards.find(({ id }) => review.positionOf(id) !== null);
  if (alike === undefined) throw new Error('None of the look-alikes is in the queue.');
  review.moveTo(review.positionOf(alike.id) ?? 0);
  await review.decide({ kind: 'drop' });
  expect(review.lookAlikes?.cards.find(({ id }) => id === alike.id)?.state).toBe('dropped');
});

test('a decision stays in its place and leads to the next undecided sample', async () => {
  const before = [...review.ids];
  review.moveTo(1);
  await review.decide({ kind: 'drop' });
  review.moveTo(0);
  await review.decide({ kind: 'confirm' });
  expect(review.ids).toEqual(before);
  expect(review.cursor).toBe(2);
  expect(before.slice(0, 3).map((id) => review.cards.get(id)?.state)).toEqual(['confirmed', 'dropped', 'unreviewed']);
  expect([review.decidedCount, app.project?.review.dropped]).toEqual([2, 1]);
});

test('from the last undecided sample it goes around to the first', async () => {
  review.moveTo(review.ids.length - 1);
  await review.decide({ kind: 'skip' });
  expect(review.cursor).toBe(0);
});

test('a selection is decided as one action, and one undo takes it back and shows it', async () => {
  review.moveTo(2);
  review.moveTo(6, { extend: true });
  await review.decide({ kind: 'confirm' });
  expect(decided).toHaveLength(1);
  expect(decided[0]?.sampleIds).toEqual(review.ids.slice(2, 7));
  expect([review.cursor, review.selection.positions.size]).toEqual([7, 0]);
  await review.undo();
  expect([review.cursor, review.decidedCount]).toEqual([2, 0]);
  await review.redo();
  expect(review.decidedCount).toBe(5);
});

test('two quick presses decide two samples; a third that nobody can have seen is not taken', async () => {
  const [first, second] = review.ids;
  await Promise.all([
    review.decide({ kind: 'confirm' }),
    review.decide({ kind: 'confirm' }),
    review.decide({ kind: 'confirm' }),
  ]);
  expect(decided.map(({ sampleIds }) => sampleIds)).toEqual([[first], [second]]);
});

test('a held key waits for the picture', async () => {
  review.view = 'focus';
  await review.decide({ kind: 'confirm' }, true);
  expect(decided).toEqual([]);
  review.shownId = review.currentId;
  await review.decide({ kind: 'confirm' }, true);
  expect(decided).toHaveLength(1);
});

test('what another client decides shows in its place', async () => {
  const stop = review.listen();
  const id = review.ids[3] ?? 0;
  await app.client.decide({ sampleIds: [id], decision: { kind: 'drop' } });
  stop();
  expect([review.cards.get(id)?.state, review.decidedCount, review.cursor]).toEqual(['dropped', 1, 0]);
});

test('a pair narrows the queue while all pairs stay listed', async () => {
  const all = review.pairs;
  const pair = all[0];
  if (pair === undefined) throw new Error('The fake service has no confused pair.');
  review.filter = { ...review.filter, givenClassIds: [pair.givenClassId], suggestedClassIds: [pair.suggestedClassId] };
  await review.refresh();
  expect([review.ids.length, review.pairs]).toEqual([pair.count, all]);
});
