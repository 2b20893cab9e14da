import type { FindingsSummary } from '../../shared/domain.ts';
import type { SampleScores } from './scores.ts';

export interface Flags {
  /** 1 where the sample is flagged. `[samples]` */
  flagged: Uint8Array;
  count: number;
  /** Smallest score among the flagged samples; 1 when none is. */
  cut: number;
  /** Expected share of wrong labels in the whole set, 0..1. */
  noiseRate: number;
  /** Expected share of the flagged samples whose label is wrong, 0..1. */
  expectedPrecision: number;
  /** Expected share of the wrong labels that are flagged, 0..1. */
  expectedRecall: number;
}

/**
 * The default cut: as many samples are flagged as labels are expected to be wrong, the most doubtful first. Where the model votes
 * for another class, its vote v at the suggestion is its probability that the suggestion is right, hence that the given label is
 * wrong; where it votes for the given label, that label counts as right. Summed, these are the expected number of errors.
 */
export function flagSamples(scores: SampleScores, labels: Int32Array): Flags {
  const samples = labels.length;
  const doubted = Array.from(labels.keys())
    .filter((i) => scores.suggested[i] !== labels[i])
    .sort((a, b) => scores.score[b]! - scores.score[a]! || a - b);
  const expectedErrors = doubted.reduce((sum, i) => sum + scores.suggestedVote[i]!, 0);
  const chosen = doubted.slice(0, Math.round(expectedErrors));
  const expectedFound = chosen.reduce((sum, i) => sum + scores.suggestedVote[i]!, 0);
  const flagged = new Uint8Array(samples);
  for (const i of chosen) flagged[i] = 1;
  const last = chosen.at(-1);
  return {
    flagged,
    count: chosen.length,
    cut: last === undefined ? 1 : scores.score[last]!,
    noiseRate: samples === 0 ? 0 : expectedErrors / samples,
    expectedPrecision: chosen.length === 0 ? 0 : expectedFound / chosen.length,
    expectedRecall: expectedErrors === 0 ? 0 : expectedFound / expectedErrors,
  };
}

/** The estimates, each with the sentence that explains it to someone who knows their classes but not the method. */
export function explainFlags(flags: Flags, run: { runId: number; epoch: number; samples: number }): FindingsSummary {
  const { count: flagged, cut, noiseRate, expectedPrecision, expectedRecall } = flags;
  const count = (value: number): string => Math.round(value).toLocaleString('en');
  const percent = (value: number): string => `${Math.round(100 * value)} %`;
  return {
    runId: run.runId,
    epoch: run.epoch,
    cut: {
      value: cut,
      explanation:
        flagged === 0
          ? 'No image is flagged: for every one the model still finds the given label the likeliest.'
          : `As many images are flagged as labels are expected to be wrong, the most doubtful first; the last of them has a doubt of ${cut.toFixed(2)}.`,
    },
    flagged: {
      value: flagged,
      explanation: `${count(flagged)} of ${count(run.samples)} images are flagged. The number is the estimate of wrong labels; no threshold was set by hand.`,
    },
    noiseRate: {
      value: noiseRate,
      explanation: `About ${count(noiseRate * run.samples)} labels (${percent(noiseRate)}) are probably wrong: the sum, over all images, of the model's probability that another label is right. It can be far too low when very many labels are wrong.`,
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
