import { expect, test } from 'vitest';
import type { TriagePoint } from '../../../shared/domain.ts';
import { nearestPoint, usualCoverage } from '../../../src-renderer/triage/curve.ts';

const curveOf = (...points: [coverage: number, expectedError: number][]): TriagePoint[] =>
  points.map(([coverage, expectedError]) => ({
    coverage,
    expectedError,
    accepted: Math.round(coverage * 100),
    threshold: coverage,
    expectedErrorsLeft: 0,
  }));

test('the slider finds the nearest point, also where many samples share a value', () => {
  const curve = curveOf([0.1, 0], [0.5, 0.01], [0.6, 0.02], [1, 0.1]);
  expect([0, 0.29, 0.31, 0.56, 0.79, 0.81, 1].map((coverage) => nearestPoint(curve, coverage))).toEqual([
    0, 0, 1, 2, 2, 3, 3,
  ]);
  expect(nearestPoint([], 0.5)).toBe(-1);
});

test('triage begins where one accepted label in a hundred is expected to be wrong', () => {
  expect(usualCoverage(curveOf([0.1, 0], [0.5, 0.01], [0.6, 0.02], [1, 0.1]))).toBe(0.5);
  expect(usualCoverage(curveOf([0.2, 0.03], [1, 0.2]))).toBe(0.2);
  expect(usualCoverage(curveOf([0.2, 0], [1, 0.004]))).toBe(1);
  expect(usualCoverage([])).toBe(1);
});
