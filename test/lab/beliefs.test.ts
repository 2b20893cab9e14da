import { expect, it } from 'vitest';
import { errorByCoverage, fateOfLabels, softmaxDoubt, wrongPredictions } from '../../src-main/lab/beliefs.ts';

it('tells what became of right and wrong labels', () => {
  const truth = Int32Array.from([0, 1, 2, 0, 1]);
  const given = Int32Array.from([0, 1, 0, 1, 2]);
  // In turn: right and kept, right and lost, wrong and recovered, wrong and memorised, wrong and neither.
  const beliefs = Float32Array.from([0.8, 0.1, 0.1, 0.2, 0.3, 0.5, 0.1, 0.2, 0.7, 0.1, 0.9, 0, 0.6, 0.3, 0.1]);
  expect(fateOfLabels(beliefs, given, truth)).toEqual({
    samples: 5,
    wrong: 3,
    recovered: 1 / 3,
    memorised: 1 / 3,
    lost: 1 / 2,
    right: 2 / 5,
  });
});

it('gives shares of 0, not NaN, where no label is wrong', () => {
  const labels = Int32Array.from([0, 1]);
  expect(fateOfLabels(Float32Array.from([1, 0, 0, 1]), labels, labels)).toMatchObject({ recovered: 0, memorised: 0 });
});

it('measures the error among the surest', () => {
  const probabilities = Float32Array.from([0.9, 0.1, 0.6, 0.4, 0.2, 0.8, 0.45, 0.55]);
  const labels = Int32Array.from([0, 1, 1, 0]);
  const isWrong = wrongPredictions(probabilities, labels);
  expect(isWrong).toEqual([false, true, false, true]);
  const doubt = softmaxDoubt(probabilities, 4);
  expect([...doubt].map((value) => value.toFixed(2))).toEqual(['0.10', '0.40', '0.20', '0.45']);
  // From the surest: right, right, wrong, wrong.
  const errors = errorByCoverage(doubt, isWrong);
  expect(errors).toHaveLength(100);
  expect([25, 50, 75, 100].map((coverage) => errors[coverage - 1])).toEqual([0, 0, 1 / 3, 1 / 2]);
  expect(errors[0]).toBe(0);
});

it('does not let the order of the images, which is that of their classes, decide among equals', () => {
  const doubt = [0.1, 0.5, 0.5, 0.5, 0.5, 0.9];
  const isWrong = [false, false, false, false, true, true];
  const errors = errorByCoverage(doubt, isWrong);
  // Of the four equals, one in four is wrong.
  const expected = [0, 1 / 4 / 2, 2 / 4 / 3, 3 / 4 / 4, 1 / 5, 2 / 6];
  expected.forEach((error, index) => expect(errors[Math.round((100 * (index + 1)) / 6) - 1]).toBeCloseTo(error, 12));
  const reversed = [0, 4, 3, 2, 1, 5];
  const reordered = errorByCoverage(
    reversed.map((i) => doubt[i]!),
    reversed.map((i) => isWrong[i]!),
  );
  expect(reordered).toEqual(errors);
});
