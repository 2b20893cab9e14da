import type { AttackSettings, EngineName, EngineReport, RunId, TrainingSettings } from './domain.ts';

/*
 * Seam 2: what the service and the trainer say to each other. The trainer never opens the database:
 * it reports, the service stores. Typed arrays travel by structured clone.
 */

/** Decoded pixels of all samples of a run: uint8, `[samples, resolution, resolution, 3]`, in one file. */
export interface PixelFile {
  path: string;
  samples: number;
  resolution: number;
}

/** Held-out images on which the network is measured, in evaluation mode and without augmentation. */
export interface HeldOut {
  pixels: PixelFile;
  labels: Int32Array;
  /** Measured after every so many epochs, and after the last. */
  every: number;
  /** Attack for the accuracy under attack; null measures clean images only. */
  attack: AttackSettings | null;
  /** After the last epoch, fit a linear classifier on the frozen features of the training images. */
  linearProbe: boolean;
}

export type TrainerCommand =
  | {
      kind: 'train';
      runId: RunId;
      settings: TrainingSettings;
      pixels: PixelFile;
      /** Class index (0..classes-1) of each sample, in the order of the pixel file. */
      labels: Int32Array;
      heldOut: HeldOut | null;
      /** Weights of an earlier run that the encoder starts from; null starts from random ones. */
      startWeights: string | null;
      /** Where the weights go after every epoch, replaced atomically; null keeps none. */
      weightsFile: string | null;
      /** Where everything that the run needs to go on goes after every epoch and when it is stopped; null keeps nothing. */
      checkpoint: Checkpoint | null;
      /** Report an embedding of every sample after the last epoch. */
      embed: boolean;
      /** Where engines keep their native libraries. */
      engineFolder: string | null;
    }
  /** Stops before the next batch, after writing a checkpoint. */
  | { kind: 'cancel'; runId: RunId }
  /** The service has stored what was reported of this epoch. With a checkpoint, the trainer is never further ahead than one epoch. */
  | { kind: 'stored'; runId: RunId; epoch: number }
  /** Loads an engine and, when asked, times a training step of the compact network. */
  | { kind: 'probe'; runId: RunId; engine: EngineName; measure: boolean; engineFolder: string | null };

export type TrainerEvent =
  | { kind: 'started'; runId: RunId; engine: EngineReport }
  | {
      kind: 'batch';
      runId: RunId;
      epoch: number;
      /** Share of this epoch that is done, 0..1. */
      fraction: number;
      loss: number;
      imagesPerSecond: number;
      secondsLeft: number;
    }
  | {
      kind: 'epoch';
      runId: RunId;
      epoch: number;
      loss: number;
      /** Null where no labels are learned. */
      accuracy: number | null;
      /** Collapse monitor of self-supervised recipes; null for others. */
      spread: number | null;
      learningRate: number;
      imagesPerSecond: number;
      seconds: number;
      secondsLeft: number;
      /** What the run believes about the labels; null for recipes that learn without them. */
      beliefs: Beliefs | null;
    }
  /** Follows the `epoch` event of the same epoch. */
  | ({ kind: 'evaluated'; runId: RunId; epoch: number } & HeldOutResult)
  /** Unit-length features of samples start … start + values.length / dimension − 1, in evaluation mode. */
  | { kind: 'embeddings'; runId: RunId; start: number; dimension: number; values: Float32Array }
  | { kind: 'done'; runId: RunId }
  | { kind: 'cancelled'; runId: RunId }
  | { kind: 'failed'; runId: RunId; reason: FailureReason; message: string }
  | { kind: 'probed'; runId: RunId; engine: EngineReport };

/**
 * - `diverged`: the loss or a weight is no number any more, and the same numbers would do it again
 * - `checkpoint`: the run cannot go on from the checkpoint, which is damaged or of something else
 * - `out-of-memory`: a smaller batch may fit
 * - `device-lost`: the device went away (a driver was reset, say); in a new process it may be back
 */
export type FailureReason = 'diverged' | 'checkpoint' | 'out-of-memory' | 'device-lost' | 'error';

export interface Checkpoint {
  /** Replaced atomically. */
  file: string;
  /** Whether to go on from what it holds, with this batch size, whatever the one was that it was written with. */
  resume: boolean;
}

export interface Beliefs {
  /** Soft targets t, `[samples, classes]`. */
  targets: Float32Array;
  /** Probabilities of the latest view of each sample, `[samples, classes]`. */
  probabilities: Float32Array;
  /** The moving average of the probabilities over the epochs, `[samples, classes]`; null once the targets say more. */
  average: Float32Array | null;
  /** Probability of the abstention class at the latest view, `[samples]`; null for recipes without one. */
  abstention: Float32Array | null;
}

export interface HeldOutResult {
  /** Share of held-out images whose likeliest class is their label, 0..1. */
  accuracy: number;
  /** The same under the attack; null when none was asked for. */
  adversarialAccuracy: number | null;
  /** `[held-out, classes]` */
  probabilities: Float32Array;
  /** `[held-out]`; null for recipes without an abstention class. */
  abstention: Float32Array | null;
  /** Held-out accuracy of the linear classifier; null unless asked for and after the last epoch. */
  linearProbeAccuracy: number | null;
}

/** A two-way channel of messages: a forked process, a worker's port, or a pair in memory. */
export interface Port<Outgoing, Incoming> {
  post(message: Outgoing): void;
  onMessage(listener: (message: Incoming) => void): void;
}
