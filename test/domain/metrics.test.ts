import { expect, it } from 'vitest';
import { evaluate } from '../../src-main/domain/metrics.ts';

it('agrees with figures worked out by hand', () => {
  // Ranks:     1     2      3     4      5     (scores 0.9 and 0.8 are errors; 0.8 is tied with a correct sample)
  const scores = [0.9, 0.8, 0.8, 0.3, 0.1];
  const isError = [true, false, true, false, false];
  const evaluation = evaluate({
    scores,
    isError,
    isFlagged: [true, true, false, false, false],
    isSuggestionRight: [true, true, false, false, false],
  });
  expect(evaluation).toEqual({
    samples: 5,
    errors: 2,
    // Pairs (error, correct): 0.9 beats all three; 0.8 ties one and beats two: (3 + 2.5) / 6.
    auroc: 5.5 / 6,
    averagePrecision: (1 / 1 + 2 / 3) / 2,
    flagged: 2,
    precision: 1 / 2,
    recall: 1 / 2,
    f1: 1 / 2,
    reviewsFor90: 3 / 5,
    suggestedLabelAccuracy: 1 / 2,
  });
});

it('gives zeros, not NaN, where there is nothing to measure', () => {
  const none = evaluate({
    scores: [0.2, 0.1],
    isError: [false, false],
    isFlagged: [false, false],
    isSuggestionRight: [true, true],
  });
  expect(none).toMatchObject({
    errors: 0,
    auroc: 0,
    averagePrecision: 0,
    precision: 0,
    recall: 0,
    f1: 0,
    reviewsFor90: 0,
  });
});
