import { expect, test } from 'vitest';
import { selectAll, selectNone, selectRange, toggleSelected } from '../../../src-renderer/review/selection.ts';

test('a range follows the cursor to either side of its anchor', () => {
  const start = selectNone(5);
  expect([...selectRange(start, 8).positions]).toEqual([5, 6, 7, 8]);
  expect([...selectRange(selectRange(start, 8), 3).positions]).toEqual([3, 4, 5]);
});

test('the first addition keeps what was under the cursor', () => {
  const added = toggleSelected(selectNone(2), 2, 7);
  expect([...added.positions]).toEqual([2, 7]);
  expect([...toggleSelected(added, 7, 2).positions]).toEqual([7]);
  expect([...selectRange(added, 9).positions]).toEqual([7, 8, 9]);
});

test('everything is selected', () => {
  expect(selectAll(selectNone(3), 12_000).positions.size).toBe(12_000);
});
