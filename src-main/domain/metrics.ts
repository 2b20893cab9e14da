import type { Evaluation } from '../../shared/domain.ts';

export interface EvaluationInput {
  /** Doubt about the given label of each sample, larger is worse. */
  scores: ArrayLike<number>;
  /** Is the given label wrong? */
  isError: ArrayLike<boolean>;
  /** Did the default cut flag the sample? */
  isFlagged: ArrayLike<boolean>;
  /** Is the suggested label the true one? */
  isSuggestionRight: ArrayLike<boolean>;
}

/** How well a ranking finds the wrong labels. Figures that have no meaning (no errors at all, nothing flagged) are 0. */
export function evaluate({ scores, isError, isFlagged, isSuggestionRight }: EvaluationInput): Evaluation {
  const samples = scores.length;
  let errors = 0;
  let flagged = 0;
  let flaggedErrors = 0;
  let rightSuggestions = 0;
  for (let i = 0; i < samples; i++) {
    if (isError[i]) errors++;
    if (isFlagged[i]) flagged++;
    if (isFlagged[i] && isError[i]) flaggedErrors++;
    if (isError[i] && isSuggestionRight[i]) rightSuggestions++;
  }
  const precision = ratio(flaggedErrors, flagged);
  const recall = ratio(flaggedErrors, errors);
  return {
    samples,
    errors,
    auroc: auroc(scores, isError),
    averagePrecision: averagePrecision(scores, isError),
    flagged,
    precision,
    recall,
    f1: ratio(2 * precision * recall, precision + recall),
    reviewsFor90: reviewsFor(0.9, scores, isError),
    suggestedLabelAccuracy: ratio(rightSuggestions, errors),
  };
}

/** Probability that a random error scores above a random correct sample; ties count half (Mann-Whitney U). */
export function auroc(scores: ArrayLike<number>, isError: ArrayLike<boolean>): number {
  const order = worstFirst(scores);
  let errors = 0;
  let correctBelow = 0;
  let correct = 0;
  // From the best up, in groups of equal score.
  for (let end = order.length; end > 0;) {
    let start = end - 1;
    while (start > 0 && scores[order[start - 1]!] === scores[order[end - 1]!]) start--;
    let groupErrors = 0;
    for (let i = start; i < end; i++) if (isError[order[i]!]) groupErrors++;
    const groupCorrect = end - start - groupErrors;
    correctBelow += groupErrors * (correct + groupCorrect / 2);
    errors += groupErrors;
    correct += groupCorrect;
    end = start;
  }
  return ratio(correctBelow, errors * correct);
}

/** Mean over the errors of the precision at each one's rank. */
export function averagePrecision(scores: ArrayLike<number>, isError: ArrayLike<boolean>): number {
  let errors = 0;
  let sum = 0;
  worstFirst(scores).forEach((sample, rank) => {
    if (!isError[sample]) return;
    errors++;
    sum += errors / (rank + 1);
  });
  return ratio(sum, errors);
}

/** Share of all samples to look at, worst first, until `share` of the errors has been met. */
export function reviewsFor(share: number, scores: ArrayLike<number>, isError: ArrayLike<boolean>): number {
  const order = worstFirst(scores);
  const errors = order.reduce((count, sample) => count + (isError[sample] ? 1 : 0), 0);
  const wanted = Math.ceil(share * errors);
  if (wanted === 0) return 0;
  let met = 0;
  for (let rank = 0; rank < order.length; rank++) {
    if (isError[order[rank]!]) met++;
    if (met === wanted) return (rank + 1) / order.length;
  }
  return 1;
}

/** Indices by falling score; equal scores keep their order. */
export function worstFirst(scores: ArrayLike<number>): Uint32Array {
  return Uint32Array.from({ length: scores.length }, (_, index) => index).sort(
    (a, b) => scores[b]! - scores[a]! || a - b,
  );
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
