import { expect, it } from 'vitest';
import { createRandom } from '../../src-main/domain/random.ts';
import { pointAtCoverage, triage, type JudgedLabel } from '../../src-main/domain/triage.ts';

const label = (score: number): JudgedLabel => ({
  score,
  rivalVote: score > 0.5 ? 0.8 * score : null,
});

it('accepts the surest first, and counts the wrong labels that it expects among them', () => {
  const { curve, ...rest } = triage(4, [label(0.9), label(0), label(0.3), label(0.6)]);
  expect(rest).toEqual({ runId: 4, samples: 4 });
  expect(curve.map(({ accepted, coverage }) => [accepted, coverage])).toEqual([
    [0, 0],
    [1, 0.25],
    [2, 0.5],
    [3, 0.75],
    [4, 1],
  ]);
  // Expected errors, 0.8 · (0.9 + 0.6) in all, are spread as the squares of the doubts.
  const squares = 0.9 ** 2 + 0.3 ** 2 + 0.6 ** 2;
  const share = (square: number): number => (1.2 * square) / squares;
  expect(curve[0]).toMatchObject({ expectedError: 0, expectedErrorsLeft: expect.closeTo(1.2, 10) });
  expect(curve[3]).toMatchObject({
    threshold: 0.9,
    expectedError: expect.closeTo(share(0.3 ** 2 + 0.6 ** 2) / 3, 10),
    expectedErrorsLeft: expect.closeTo(share(0.9 ** 2), 10),
  });
});

it('has at most 101 points, by rising coverage and expected error, whose thresholds select what they say', () => {
  const random = createRandom(5);
  // Coarse values, so that many are equal.
  const labels = Array.from({ length: 5000 }, () => label(Math.round(40 * random.next() ** 3) / 40));
  const { curve } = triage(1, labels);
  expect(curve.length).toBeLessThanOrEqual(101);
  expect(curve.at(-1)).toMatchObject({ coverage: 1, accepted: 5000, expectedErrorsLeft: expect.closeTo(0, 6) });
  for (const [index, point] of curve.entries()) {
    expect(labels.filter(({ score }) => score < point.threshold)).toHaveLength(point.accepted);
    if (index === 0) continue;
    expect(point.accepted).toBeGreaterThan(curve[index - 1]!.accepted);
    expect(point.expectedError).toBeGreaterThanOrEqual(curve[index - 1]!.expectedError);
  }
});

it.each([
  ['nothing judged', [], 1],
  ['one sample', [label(0.4)], 2],
  ['no doubt at all', [label(0), label(0), label(0)], 2],
])('has a whole curve for %s', (_name, labels, points) => {
  const { curve, samples } = triage(1, labels);
  expect(curve).toHaveLength(points);
  expect(curve.at(-1)).toMatchObject({ coverage: 1, accepted: samples, expectedError: 0 });
});

it('has a point at each whole percent, whatever the number of samples', () => {
  // 0.8 · 12,001 = 9,600.8: rounded up, the point would lie just above 80 % and the one at 79 % be taken.
  const samples = 12_001;
  const result = triage(
    1,
    Array.from({ length: samples }, (_, i) => label(i / samples)),
  );
  expect(pointAtCoverage(result, 0.8).accepted).toBe(9600);
});

it('never accepts more than was asked for', () => {
  const result = triage(1, [label(0.1), label(0.1), label(0.1), label(0.8)]);
  expect(pointAtCoverage(result, 0.6).accepted).toBe(0);
  expect(pointAtCoverage(result, 0.75).accepted).toBe(3);
  expect(pointAtCoverage(result, 1).accepted).toBe(4);
});
