import type { TrainingPlan } from '../../shared/domain.ts';
import { scoreSamples, updateFlipEpochs, type SampleScores } from './scores.ts';

/** Turns what the trainer reports after each epoch into findings. */
export interface RunView {
  /** @param targets t after the epoch; @param probabilities p of this epoch; both `[samples, classes]` */
  update(epoch: number, targets: Float32Array, probabilities: Float32Array): EpochView;
}

export interface EpochView {
  scores: SampleScores;
  /** SAT's confidence weights max_j t_ij, `[samples]`. */
  weights: Float32Array;
  /** First epoch since which each sample's suggestion has differed from its label, −1 where it agrees. `[samples]` */
  flipEpochs: Int32Array;
  labels: Int32Array;
}

/**
 * While most of t still is the one-hot start (before E_s, and a few epochs after), t can doubt nothing yet. Until then the
 * same moving average, begun with the first prediction instead of the label, stands in for it, so that the first doubts
 * can be reviewed while the model trains.
 */
export function createRunView({
  plan,
  labels,
}: {
  plan: Pick<TrainingPlan, 'startEpoch' | 'targetMomentum'>;
  labels: Int32Array;
}): RunView {
  const { startEpoch, targetMomentum } = plan;
  const flipEpochs = new Int32Array(labels.length).fill(-1);
  let average: Float32Array | null = null;
  return {
    update: (epoch, targets, probabilities) => {
      average = average === null ? probabilities.slice() : movingAverage(average, probabilities, targetMomentum);
      const remainder = epoch < startEpoch ? 1 : targetMomentum ** (epoch - startEpoch + 1);
      const scores =
        remainder > largestRemainder ? scoreSamples(average, labels, 0) : scoreSamples(targets, labels, remainder);
      updateFlipEpochs(flipEpochs, scores.suggested, labels, epoch);
      return { scores, weights: largestOfRows(targets, labels.length), flipEpochs, labels };
    },
  };
}

/** Above this share of the start too few predictions are in t to tell doubts by. */
const largestRemainder = 0.5;

function movingAverage(average: Float32Array, latest: Float32Array, momentum: number): Float32Array {
  return average.map((value, i) => momentum * value + (1 - momentum) * latest[i]!);
}

function largestOfRows(rows: Float32Array, count: number): Float32Array {
  const width = rows.length / count;
  return Float32Array.from({ length: count }, (_, i) => {
    let largest = 0;
    for (let j = i * width; j < (i + 1) * width; j++) largest = Math.max(largest, rows[j]!);
    return largest;
  });
}
