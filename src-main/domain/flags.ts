import type { FindingsSummary } from '../../shared/domain.ts';
import type { SampleScores } from './scores.ts';

export interface FlagEstimates {
  flagged: number;
  /** Smallest score among the flagged samples; 1 when none is. */
  lowestFlaggedScore: number;
  /** Expected share of wrong labels in the whole set, 0..1. */
  noiseRate: number;
  /** Expected share of the flagged samples whose label is wrong, 0..1. */
  expectedPrecision: number;
  /** Expected share of the wrong labels that are flagged, 0..1. */
  expectedRecall: number;
}

/**
 * What the flags are worth, estimated without knowing the truth. Where the model votes for another class, its vote v at the
 * suggestion is its probability that the suggestion is right, hence that the given label is wrong; where it votes for
 * the given label, that label counts as right. Sums of these give expected numbers of errors.
 */
export function estimateFlags(scores: SampleScores, labels: Int32Array): FlagEstimates {
  let flagged = 0;
  let lowest = 1;
  let errors = 0;
  let flaggedErrors = 0;
  for (let i = 0; i < labels.length; i++) {
    const error = scores.suggested[i] === labels[i] ? 0 : scores.suggestedVote[i]!;
    errors += error;
    if (scores.flagged[i] === 0) continue;
    flagged++;
    flaggedErrors += error;
    lowest = Math.min(lowest, scores.score[i]!);
  }
  return {
    flagged,
    lowestFlaggedScore: lowest,
    noiseRate: labels.length === 0 ? 0 : errors / labels.length,
    expectedPrecision: flagged === 0 ? 0 : flaggedErrors / flagged,
    expectedRecall: errors === 0 ? 0 : flaggedErrors / errors,
  };
}

/** The estimates, each with the sentence that explains it to someone who knows their classes but not the method. */
export function explainFlags(
  estimates: FlagEstimates,
  run: { runId: number; epoch: number; samples: number },
): FindingsSummary {
  const { flagged, lowestFlaggedScore, noiseRate, expectedPrecision, expectedRecall } = estimates;
  const count = (value: number): string => Math.round(value).toLocaleString('en');
  const percent = (value: number): string => `${Math.round(100 * value)} %`;
  return {
    runId: run.runId,
    epoch: run.epoch,
    cut: {
      value: lowestFlaggedScore,
      explanation:
        flagged === 0
          ? 'No image is flagged: for every one the model still finds the given label the likeliest.'
          : `An image is flagged when the model, over all its passes, came to find another class likelier than the given one. The mildest flagged doubt is ${lowestFlaggedScore.toFixed(2)}.`,
    },
    flagged: {
      value: flagged,
      explanation: `${count(flagged)} of ${count(run.samples)} images are flagged. The number follows from your data; no threshold was set by hand.`,
    },
    noiseRate: {
      value: noiseRate,
      explanation: `About ${count(noiseRate * run.samples)} labels (${percent(noiseRate)}) are probably wrong: the sum, over all images, of the model's probability that another label is right.`,
    },
    expectedPrecision: {
      value: expectedPrecision,
      explanation: `Of ten flagged images, expect about ${Math.round(10 * expectedPrecision)} to have a wrong label: the average probability that the model gives its suggestions. It is an estimate, and rougher where classes look alike.`,
    },
    expectedRecall: {
      value: expectedRecall,
      explanation: `The flags should hold about ${percent(expectedRecall)} of all wrong labels; the rest lie further down the list, ordered by doubt.`,
    },
  };
}
