import type { Budget, EngineName, TrainingPlan } from '../../shared/domain.ts';

export interface PlanInput {
  engine: EngineName;
  /** Measured speed of a training step, GFLOP/s. */
  gflops: number;
  budget: Budget;
  seed: number;
  samples: number;
  classes: number;
  /** Median over the samples of the shorter side, pixels. */
  medianSide: number;
  /** GFLOP of one picture's forward pass; sat/models knows it. */
  gflopPerImage: (width: number, resolution: number) => number;
}

interface Ambition {
  /** Wall time that the run may take. */
  minutes: number;
  epochs: number;
  leastEpochs: number;
  /** Small sets get more epochs, until there are this many steps. */
  leastSteps: number;
  /** Channels of the stem, from the best to the cheapest. */
  widths: number[];
}

/** What each budget wants when time allows. */
const ambitions: Record<Budget, Ambition> = {
  quick: { minutes: 4, epochs: 14, leastEpochs: 6, leastSteps: 60, widths: [24, 16] },
  balanced: { minutes: 17, epochs: 45, leastEpochs: 10, leastSteps: 1200, widths: [24, 16] },
  thorough: { minutes: 90, epochs: 60, leastEpochs: 20, leastSteps: 3000, widths: [48, 32, 24, 16] },
};

const mostEpochs = 200;
/** A size is taken if at least this share of the wanted epochs fits the time; below it, a smaller network learns more. */
const leastShareOfEpochs = 0.6;
/** From the best to the cheapest; they give way after the widths, because a label often hangs on a detail. */
const resolutions = [128, 96, 64, 48, 32];
/** A run's wall time over that of its measured steps: reading pictures, augmentation and reports. */
const overhead = 1.1;

/**
 * Sizes a run so that it fits the budget on this engine: the largest input and network for which most of the wanted epochs
 * can be had; if even the smallest is too slow, fewer epochs, but never fewer than the method needs.
 */
export function planTraining(input: PlanInput): TrainingPlan {
  const { engine, gflops, budget, seed, samples, classes, medianSide, gflopPerImage } = input;
  const ambition = ambitions[budget];
  const batchSize = batchSizeFor(samples);
  const stepsPerEpoch = Math.max(1, Math.round(samples / batchSize));
  const wantedEpochs = clamp(Math.ceil(ambition.leastSteps / stepsPerEpoch), ambition.epochs, mostEpochs);
  const secondsPerEpoch = (width: number, resolution: number): number =>
    (3 * samples * gflopPerImage(width, resolution) * overhead) / gflops;
  const usable = resolutions.filter((_, index) => {
    // One step above the pictures' own size at most: enlarging further adds cost and no detail.
    const smaller = resolutions[index + 1];
    return smaller === undefined || smaller < medianSide;
  });
  const sizes = usable.flatMap((resolution) => ambition.widths.map((width) => ({ resolution, width })));
  const affordable = (size: { resolution: number; width: number }): number =>
    Math.floor((ambition.minutes * 60) / secondsPerEpoch(size.width, size.resolution));
  const fitting = sizes.find((size) => affordable(size) >= leastShareOfEpochs * wantedEpochs);
  const chosen = fitting ?? { resolution: 32, width: 16 };
  const { resolution, width } = chosen;
  const epochs = clamp(affordable(chosen), Math.min(ambition.leastEpochs, wantedEpochs), wantedEpochs);
  const startEpoch = clamp(Math.round(epochs * startShare), 1, latestStartEpoch);
  const expectedSeconds = secondsPerEpoch(width, resolution) * epochs;
  return {
    engine,
    budget,
    seed,
    resolution,
    width,
    epochs,
    startEpoch,
    targetMomentum: targetMomentumFor(epochs - startEpoch),
    batchSize,
    learningRate: (peakLearningRate * batchSize) / 128,
    weightDecay: 5e-4,
    samples,
    classes,
    gflopPerImage: gflopPerImage(width, resolution),
    expectedSeconds,
    reasons: [
      `${resolution} × ${resolution} pixels: ${resolutionReason(resolution, medianSide, usable[0] ?? resolution)}`,
      `${epochs} passes over ${samples.toLocaleString('en')} images: ${epochsReason(epochs, wantedEpochs, ambition.epochs, budget)}`,
      `Labels are taken as given for the first ${startEpoch} passes; after that the model's own view moves them a little at every pass.`,
      `This machine trains at about ${gflops < 10 ? gflops.toFixed(1) : Math.round(gflops)} GFLOP/s with ${engine === 'wasm' ? 'WebAssembly' : 'TensorFlow'}.`,
    ],
  };
}

/**
 * E_s as a share of the epochs, and its limit. The authors' is 0.3 of 200 on 50,000 images. Here starting earlier costs nothing
 * where labels are still being learned, and is meant to save a small or easy set from having its wrong labels memorised first (ADR 3).
 */
const startShare = 0.2;
const latestStartEpoch = 10;
/** The authors' α, for runs as long as theirs. */
const authorsMomentum = 0.9;
/** At most this share of the one-hot start is left in the targets when the run ends. */
const largestFinalRemainder = 0.1;
const peakLearningRate = 0.2;

/** α: the authors' 0.9, lower where a short run would otherwise end before the targets have moved. */
function targetMomentumFor(updates: number): number {
  return Math.min(authorsMomentum, largestFinalRemainder ** (1 / updates));
}

/** Small sets get small batches, so that an epoch still has enough steps. */
function batchSizeFor(samples: number): number {
  if (samples >= 4000) return 128;
  if (samples >= 1000) return 64;
  return 32;
}

function resolutionReason(resolution: number, medianSide: number, best: number): string {
  if (resolution === best) return `your images are about ${Math.round(medianSide)} pixels on their shorter side.`;
  return `more would not fit the time; your images have ${Math.round(medianSide)} on their shorter side.`;
}

function epochsReason(epochs: number, wanted: number, usual: number, budget: Budget): string {
  if (epochs < wanted) return 'fewer than usual, because more would not fit the time on this machine.';
  if (epochs > usual) return 'more than usual, because there are few images.';
  return `what the ${budget} budget gives.`;
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value));
}
