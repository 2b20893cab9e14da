import type { TrainingPlan } from '../../shared/domain.ts';
import { scoreSamples, updateFlipEpochs, type SampleScores } from './scores.ts';

/** Turns what the trainer reports after each epoch into findings. */
export interface RunView {
  /**
   * @param targets t after the epoch, `[samples, classes]`
   * @param average what `averagePredictions` gives up to this epoch; null from where `readsAverage` says so
   */
  update(epoch: number, targets: Float32Array, average: Float32Array | null): EpochView;
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
  flipEpochs = new Int32Array(labels.length).fill(-1),
}: {
  plan: TargetMotion;
  labels: Int32Array;
  /** As an earlier part of the run has left them. Doing its last epoch again changes nothing in them. */
  flipEpochs?: Int32Array;
}): RunView {
  return {
    update: (epoch, targets, average) => {
      const scores =
        average !== null ? scoreSamples(average, labels, 0) : scoreSamples(targets, labels, remainderOf(plan, epoch));
      updateFlipEpochs(flipEpochs, scores.suggested, labels, epoch);
      return { scores, weights: largestOfRows(targets, labels.length), flipEpochs, labels };
    },
  };
}

/** Whether t is still too much of its start after an epoch to tell doubts by, so that the average of the predictions is read. */
export function readsAverage(plan: TargetMotion, epoch: number): boolean {
  return remainderOf(plan, epoch) > largestRemainder;
}

/** The moving average of the predictions `[samples, classes]` with those of one more epoch; null begins it. */
export function averagePredictions(
  average: Float32Array | null,
  latest: Float32Array,
  { targetMomentum }: TargetMotion,
): Float32Array {
  if (average === null) return latest.slice();
  return average.map((value, i) => targetMomentum * value + (1 - targetMomentum) * latest[i]!);
}

type TargetMotion = Pick<TrainingPlan, 'startEpoch' | 'targetMomentum'>;

/** Above this share of the start too few predictions are in t to tell doubts by. */
const largestRemainder = 0.5;

/** The share of the one-hot start that is left in t after an epoch. */
function remainderOf({ startEpoch, targetMomentum }: TargetMotion, epoch: number): number {
  return epoch < startEpoch ? 1 : targetMomentum ** (epoch - startEpoch + 1);
}

function largestOfRows(rows: Float32Array, count: number): Float32Array {
  const width = rows.length / count;
  return Float32Array.from({ length: count }, (_, i) => {
    let largest = 0;
    for (let j = i * width; j < (i + 1) * width; j++) largest = Math.max(largest, rows[j]!);
    return largest;
  });
}
