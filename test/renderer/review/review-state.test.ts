import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { emptyFilter } from '../../../shared/api.ts';
import { createDispatcher } from '../../../shared/transport.ts';
import { createService, type Service } from '../../../src-main/app/service.ts';
import { shellWithoutDialogs } from '../../../src-main/hosts/server/shell.ts';
import { AppState } from '../../../src-renderer/app-state.svelte.ts';
import { ReviewState } from '../../../src-renderer/review/review-state.svelte.ts';
import { createMemoryLogger } from '../../hosts/small-service.ts';
import { createSyntheticProject } from '../../support/synthetic-project.ts';

let folder: string;
let original: string;
let service: Service;
let app: AppState;
let review: ReviewState;
/** Input of every call of `decide`, in order. */
let decided: { sampleIds: number[] }[];
/** Happens before the next cards are read. */
let meanwhile: (() => Promise<unknown>) | null = null;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'winnow-review-'));
  const { project } = await createSyntheticProject({ folder, samples: 300, classes: 4, epochs: 8, files: false });
  original = project;
});

afterAll(() => rmSync(folder, { recursive: true }));

beforeEach(async () => {
  const project = path.join(mkdtempSync(path.join(folder, 'test-')), 'copy.winnow');
  cpSync(original, project);
  service = createService({
    host: 'cli',
    version: '1.2.3',
    dataFolder: path.dirname(project),
    nodePath: process.execPath,
    trainerProgram: 'none',
    workerProgram: 'none',
    shell: shellWithoutDialogs,
    logger: createMemoryLogger(),
  });
  await service.handlers.openProject({ path: project });
  const dispatch = createDispatcher(service.handlers, (method, error) => {
    throw new Error(method, { cause: error });
  });
  decided = [];
  app = new AppState({
    transport: {
      invoke: async (method, input) => {
        if (method === 'getSamples' && meanwhile !== null) {
          const happening = meanwhile;
          meanwhile = null;
          await happening();
        }
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
  const [summary, findings] = [await app.client.getProject({}), await app.client.getFindings({})];
  if (!summary.ok || !findings.ok) throw new Error('No project is open.');
  app.project = summary.value;
  app.findings = findings.value;
  review = new ReviewState(app);
  await review.refresh();
  review.loadCards(0, review.ids.length);
  await expect.poll(() => review.cards.size).toBe(review.ids.length);
});

afterEach(() => service.close());

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

test('the first queue shows with the cards that are in view, as others have left them meanwhile', async () => {
  const fresh = new ReviewState(app);
  const stop = fresh.listen();
  const [first] = review.ids;
  if (first === undefined) throw new Error('The queue is empty.');
  meanwhile = async () => {
    expect(fresh.status).toBe('loading');
    await app.client.decide({ sampleIds: [first], decision: { kind: 'drop' } });
  };
  await fresh.refresh();
  stop();
  expect(fresh.status).toBe('ready');
  expect([...fresh.ids.subarray(0, 80)].every((id) => fresh.cards.has(id))).toBe(true);
  expect([fresh.cards.get(first)?.state, fresh.isUndecided(first), fresh.decidedCount]).toEqual(['dropped', false, 1]);
  expect(fresh.cursor).toBe(1);
});

test('a decision stays in its place and leads to the next undecided sample', async () => {
  const before = [...review.ids];
  review.moveTo(1);
  await review.decide({ kind: 'drop' });
  review.moveTo(0);
  await review.decide({ kind: 'confirm' });
  expect([...review.ids]).toEqual(before);
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
  expect(decided[0]?.sampleIds).toEqual([...review.ids.slice(2, 7)]);
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
  review.mode = 'focus';
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
