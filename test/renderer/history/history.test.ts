import { describe, expect, test } from 'vitest';
import type { HistoryEntry } from '../../../shared/domain.ts';
import { failure, ok } from '../../../shared/result.ts';
import { jumpFor, layOutHistory, rowHeights, rowsInView } from '../../../src-renderer/history/history-rows.ts';
import { HistoryState } from '../../../src-renderer/history/history-state.svelte.ts';

const day = 86_400_000;
const noon = new Date(2026, 2, 10, 12).getTime();

describe('rows', () => {
  const standingIn = (entries: HistoryEntry[]): number | null =>
    entries.find(({ status }) => status === 'done')?.id ?? null;
  const kinds = (entries: HistoryEntry[], complete = true, standing = standingIn(entries)): string[] =>
    layOutHistory(entries, standing, complete).rows.map((row) =>
      row.kind === 'entry' ? String(row.entry.id) : row.kind,
    );

  test('the line of now stands above the newest step that stands, days between', () => {
    expect(
      kinds([entry(5, 'undone'), entry(4, 'done'), entry(3, 'discarded', noon - day), entry(2, 'done', noon - day)]),
    ).toEqual(['day', '5', 'now', '4', 'day', '3', '2']);
  });

  test('it stands above all when nothing is undone, and below all when everything is', () => {
    expect(kinds([entry(2, 'done'), entry(1, 'done')])).toEqual(['now', 'day', '2', '1']);
    expect(kinds([entry(2, 'undone'), entry(1, 'undone')])).toEqual(['day', '2', '1', 'now']);
    expect(kinds([entry(2, 'undone')], false)).toEqual(['day', '2']);
    expect(kinds([])).toEqual([]);
  });

  test('where only some of the steps are shown, the line of now stands where it would among all', () => {
    const [undone, older, oldest] = [entry(7, 'undone'), entry(4, 'done'), entry(1, 'done')];
    expect(kinds([undone, older, oldest], true, 6)).toEqual(['day', '7', 'now', '4', '1']);
    expect(kinds([older, oldest], true, 6)).toEqual(['now', 'day', '4', '1']);
    expect(kinds([undone], true, 6)).toEqual(['day', '7', 'now']);
    // The newest of theirs can be gone back to, as somebody else has done something since.
    expect([jumpFor(older, 6), jumpFor(older, 4)]).toEqual(['back', null]);
  });

  test('of a hundred thousand steps only those in view are drawn', () => {
    const entries = Array.from({ length: 100_000 }, (_, index) =>
      entry(100_000 - index, 'done', noon - index * 60_000),
    );
    const layout = layOutHistory(entries, 100_000, true);
    const top = layout.offsets[50_000]!;
    const { start, end } = rowsInView(layout, top + 1, 10 * rowHeights.entry);
    expect([start, end - start < 20, layout.rows.length]).toEqual([49_997, true, layout.offsets.length - 1]);
    expect(rowsInView(layout, 0, 100).start).toBe(0);
    expect(rowsInView(layout, layout.offsets.at(-1)!, 100).end).toBe(layout.rows.length);
  });

  test('where a jump leads', () => {
    const entries = [entry(4, 'undone'), entry(3, 'discarded'), entry(2, 'done'), entry(1, 'done')];
    expect([...entries, null].map((step) => jumpFor(step, 2))).toEqual(['forward', null, null, 'back', null]);
  });
});

describe('pages', () => {
  test('follow one another down to the first step, each asked for once', async () => {
    const { history, asked } = open(450);
    await history.refresh();
    expect([history.entries.length, history.total, history.complete]).toEqual([200, 450, false]);
    await Promise.all([history.loadMore(), history.loadMore()]);
    await history.loadMore();
    await history.loadMore();
    expect([history.entries.map(({ id }) => id), history.complete]).toEqual([ids(450), true]);
    expect(asked).toEqual([null, 251, 51]);
  });

  test('are read again as far as they are in view', async () => {
    const { history, actions, asked } = open(450);
    await history.refresh();
    await history.loadMore();
    actions.unshift(entry(451, 'done'));
    asked.length = 0;
    await history.refresh(210);
    expect([history.entries.map(({ id }) => id), history.total, asked]).toEqual([
      ids(451).slice(0, 400),
      451,
      [null, 252],
    ]);
  });

  test('of an older reading do not mix with a newer one', async () => {
    const { history, actions } = open(450);
    await history.refresh();
    const late = history.loadMore();
    actions.unshift(entry(451, 'done'));
    await Promise.all([history.refresh(), late]);
    expect(history.entries.map(({ id }) => id)).toEqual(ids(451).slice(0, 200));
    await history.loadMore();
    expect(history.entries).toHaveLength(400);
  });

  test('are of one person when only theirs are wanted, and of everybody again', async () => {
    const { history, actions, asked } = open(450);
    for (const action of actions) if (action.id % 2 === 0) action.author = 'Bob';
    await history.refresh();
    const late = history.loadMore();
    asked.length = 0;
    await Promise.all([history.showOnly('Bob'), late]);
    expect([history.entries.length, history.total, history.standing]).toEqual([200, 225, 450]);
    expect(new Set(history.entries.map(({ author }) => author))).toEqual(new Set(['Bob']));
    await history.loadMore();
    expect([history.entries.length, history.complete, asked]).toEqual([225, true, [null, 52]]);
    expect(history.authors).toEqual(['Ada', 'Bob']);
    await history.showOnly(null);
    expect([history.entries.length, history.total]).toEqual([200, 450]);
  });

  test('that cannot be read are said so, and tried again', async () => {
    const { history, breakDown } = open(3);
    breakDown(true);
    await history.refresh();
    expect([history.status, history.error]).toEqual(['failed', 'No file.']);
    breakDown(false);
    await history.refresh();
    expect([history.status, history.entries.length, history.complete]).toEqual(['ready', 3, true]);
  });
});

function entry(id: number, status: HistoryEntry['status'], time = noon): HistoryEntry {
  return {
    id,
    label: `Step ${id}`,
    author: 'Ada',
    madeAt: new Date(time).toISOString(),
    samples: 1,
    exampleIds: [],
    status,
  };
}

function ids(newest: number): number[] {
  return Array.from({ length: newest }, (_, index) => newest - index);
}

/** A history over a list of actions, newest first, that answers as the service does. */
function open(count: number): {
  history: HistoryState;
  actions: HistoryEntry[];
  asked: (number | null)[];
  breakDown: (broken: boolean) => void;
} {
  const actions = ids(count).map((id) => entry(id, 'done'));
  const asked: (number | null)[] = [];
  let broken = false;
  const history = new HistoryState({
    listHistory: async ({ before, limit, author }) => {
      asked.push(before);
      await Promise.resolve();
      if (broken) return failure('internal', 'No file.');
      const wanted = actions.filter((action) => author === null || action.author === author);
      return ok({
        total: wanted.length,
        entries: wanted.filter(({ id }) => before === null || id < before).slice(0, limit),
        standing: actions[0]?.id ?? null,
        authors: [...new Set(actions.map((action) => action.author))].sort(),
      });
    },
  });
  return { history, actions, asked, breakDown: (value) => (broken = value) };
}
