import { expect, test } from 'vitest';
import type { ConfusedPair } from '../../../shared/domain.ts';
import {
  createPairMatrix,
  findCell,
  largestUndecided,
  moveInMatrix,
  shadeCount,
  shadeOf,
} from '../../../src-renderer/review/pair-matrix.ts';

const pair = (givenClassId: number, suggestedClassId: number, count: number, undecided = count): ConfusedPair => ({
  givenClassId,
  suggestedClassId,
  count,
  undecided,
});

/** Two groups, 1-2-3 and 7-8, confused within themselves and only once with each other. */
const pairs = [pair(7, 8, 40), pair(8, 7, 30, 0), pair(1, 2, 20, 5), pair(2, 3, 10), pair(3, 1, 9), pair(7, 1, 1)];
const matrix = createPairMatrix(pairs);

function at(givenClassId: number, suggestedClassId: number) {
  const cell = findCell(matrix, { givenClassId, suggestedClassId });
  if (cell === null) throw new Error('There is no such cell.');
  return cell;
}

test('classes that are confused with each other stand together, the most confused first', () => {
  expect(matrix.rowClassIds).toEqual([7, 8, 1, 2, 3]);
  expect(matrix.columnClassIds).toEqual([7, 8, 1, 2, 3]);
});

test('classes without a pair on a side have no row or column there', () => {
  const small = createPairMatrix([pair(1, 2, 3), pair(1, 3, 1)]);
  expect([small.rowClassIds, small.columnClassIds]).toEqual([[1], [2, 3]]);
});

test('what is decided does not move the classes', () => {
  const decided = createPairMatrix(pairs.map((item) => ({ ...item, undecided: 0 })));
  expect(decided.rowClassIds).toEqual(matrix.rowClassIds);
});

test('keys step from one cell with samples to the next', () => {
  const steps = (['right', 'down', 'down', 'left', 'last', 'page-up'] as const).reduce(
    (cells, direction) => [...cells, moveInMatrix(matrix, cells.at(-1)!, direction)],
    [at(7, 8)],
  );
  expect(steps.map(({ givenClassId, suggestedClassId }) => [givenClassId, suggestedClassId])).toEqual([
    [7, 8],
    [7, 1],
    [8, 7],
    [1, 2],
    [1, 2],
    [1, 2],
    [7, 1],
  ]);
});

test('the next pair is the one with most undecided samples', () => {
  expect(largestUndecided(pairs)).toEqual(pair(7, 8, 40));
  expect(largestUndecided(pairs.map((item) => ({ ...item, undecided: 0 })))).toBeNull();
});

test('a cell has a shade as long as something in it is undecided', () => {
  expect([0, 1, 100, 400, 10_000].map((undecided) => shadeOf(undecided, 10_000))).toEqual([0, 1, 1, 1, shadeCount]);
  expect(shadeOf(2500, 10_000)).toBe(3);
});
