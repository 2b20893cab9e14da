import { expect, test } from 'vitest';
import type { Cluster } from '../../../shared/domain.ts';
import { membersInRow, nextOpenCluster } from '../../../src-renderer/review/cluster-rows.ts';

const clusters = [
  [1, 2],
  [3, 4],
  [5, 6],
].map((sampleIds): Cluster => ({ sampleIds, kind: 'near', conflict: false }));

test('the next cluster is the next with anything undecided, around the end', () => {
  const next = (after: number, undecided: number[]): number | null =>
    nextOpenCluster(clusters, after, (id) => undecided.includes(id));
  expect([next(0, [2, 6]), next(2, [2, 6]), next(0, [1]), next(0, [])]).toEqual([2, 0, 0, null]);
});

test('a row that is too short shows the part with the current member', () => {
  expect([membersInRow(3, 6, 2), membersInRow(9, 4, 0), membersInRow(9, 4, 5), membersInRow(9, 4, 8)]).toEqual([
    { first: 0, end: 3 },
    { first: 0, end: 4 },
    { first: 2, end: 6 },
    { first: 5, end: 9 },
  ]);
});
