import { beforeEach, expect, test, vi } from 'vitest';
import { emptyFilter, type ApiInput, type ReviewChange } from '../../../shared/api.ts';
import type { SampleCard, SampleId } from '../../../shared/domain.ts';
import { ok } from '../../../shared/result.ts';
import { AppState } from '../../../src-renderer/app-state.svelte.ts';
import { ReviewState } from '../../../src-renderer/review/review-state.svelte.ts';

/* How many cards the window holds, over a service that makes them up: a queue of ten thousand samples, and as many outside it. */

const inQueue = 10_000;
/** As in review-state; a batch more may be on its way. */
const mostCards = 3000 + 400;
let asked: SampleId[];
let review: ReviewState;
let announce: (change: ReviewChange) => void;

beforeEach(async () => {
  asked = [];
  const answers: Partial<Record<string, (input: never) => unknown>> = {
    queryQueue: () => ({ ids: range(1, inQueue), states: new Uint8Array(inQueue) }),
    getSample: ({ id }: ApiInput<'getSample'>) => card(id),
    getSamples: ({ ids }: ApiInput<'getSamples'>) => {
      asked.push(...ids);
      return ids.map(card);
    },
  };
  const app = new AppState({
    transport: {
      invoke: (method, input) => Promise.resolve(ok(answers[method]!(input as never))),
      subscribe: (event, listener) => {
        if (event === 'reviewChanged') announce = listener;
        return () => undefined;
      },
    },
    watchConnection: () => () => undefined,
    pathForFile: null,
  });
  review = new ReviewState(app);
  review.filter = emptyFilter;
  await review.refresh();
  review.listen();
});

test('of a queue that is scrolled through, those around what is in view stay', async () => {
  for (let start = 0; start < inQueue; start += 100) {
    review.loadCards(start, start + 100);
    await arrived();
    expect(review.cards.size).toBeLessThan(mostCards);
  }
  expect([...review.ids.subarray(9300)].every((id) => review.cards.has(id))).toBe(true);
  expect(review.cards.has(500)).toBe(false);
  review.loadCards(450, 550);
  await arrived();
  expect(review.cards.has(500)).toBe(true);
});

test('of clusters that are scrolled through, those in view stay, and those far away are asked for again', async () => {
  review.loadCards(0, 100);
  review.aim = { sampleIds: [...range(20_001, 5)], currentId: 20_001 };
  review.loadCardsOf(review.aim.sampleIds);
  let leave: () => void = () => undefined;
  for (let first = 10_001; first < 20_000; first += 100) {
    leave();
    leave = review.showCards([...range(first, 100)]);
    await arrived();
    expect(review.cards.size).toBeLessThan(mostCards);
  }
  const held = (first: number, count: number): boolean => [...range(first, count)].every((id) => review.cards.has(id));
  // In view, decided about, and in the grid that one comes back to.
  expect([held(19_901, 100), held(20_001, 5), held(1, 100)]).toEqual([true, true, true]);
  expect(held(10_001, 1)).toBe(false);
  asked.length = 0;
  leave();
  review.showCards([...range(10_001, 100)]);
  await arrived();
  expect([held(10_001, 100), asked]).toEqual([true, [...range(10_001, 100)]]);
});

test('what has been decided outside the queue is known when its card has gone, and until it is reopened', async () => {
  const ids = [...range(10_001, 300)];
  review.showCards(ids)();
  await arrived();
  announce(change([10_001], 'dropped'));
  for (let first = 10_301; first < 20_000; first += 100) {
    review.showCards([...range(first, 100)])();
    await arrived();
  }
  announce(change([10_002], 'skipped'));
  expect([review.cards.has(10_001), review.cards.has(10_002)]).toEqual([false, false]);
  expect([10_001, 10_002, 10_003].map((id) => review.isUndecided(id))).toEqual([false, false, true]);
  announce(change([10_001, 10_002], 'unreviewed'));
  expect([10_001, 10_002].map((id) => review.isUndecided(id))).toEqual([true, true]);
});

test('in the view of one image, the picture of an undecided one far ahead is fetched too, though nothing was known of it', async () => {
  vi.stubGlobal('window', {});
  const fetched: string[] = [];
  review.pictures.get = (url) => {
    fetched.push(url);
    return { url, element: null as never, status: 'loading', settled: Promise.resolve() };
  };
  review.showMode('focus');
  review.examplesOpen = false;
  // All up to one that is far beyond the cards around the cursor are decided.
  announce(change([...range(1, 900)], 'confirmed'));
  expect(review.cards.has(901)).toBe(false);
  review.prefetch();
  await expect.poll(() => fetched.some((url) => url.startsWith('/image/901?'))).toBe(true);
});

function range(first: number, count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, index) => first + index);
}

/** The cards that were asked for are there: each answer takes a few turns. */
function arrived(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

function card(id: SampleId): SampleCard {
  return {
    id,
    path: `${id}.jpg`,
    version: '1',
    givenClassId: 1,
    state: 'unreviewed',
    currentClassId: 1,
    finding: null,
  };
}

function change(ids: SampleId[], state: SampleCard['state']): ReviewChange {
  return {
    label: '',
    direction: 'done',
    samples: ids.map((id) => ({ id, state, currentClassId: 1 })),
    review: { unreviewed: 0, confirmed: 0, relabeled: 0, dropped: 0, skipped: 0 },
    undoLabel: null,
    redoLabel: null,
    classes: null,
    everything: false,
  };
}
