import type { EngineName, EngineReport, RunId, TrainingPlan } from './domain.ts';

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

export type TrainerCommand =
  | {
      kind: 'train';
      runId: RunId;
      plan: TrainingPlan;
      pixels: PixelFile;
      /** Class index (0..classes-1) of each sample, in the order of the pixel file. */
      labels: Int32Array;
      /** Where engines keep their native libraries. */
      engineFolder: string | null;
    }
  | { kind: 'cancel'; runId: RunId }
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
      accuracy: number;
      learningRate: number;
      imagesPerSecond: number;
      seconds: number;
      secondsLeft: number;
      /** Soft targets t, `[samples, classes]`. */
      targets: Float32Array;
      /** Probabilities of the latest view of each sample, `[samples, classes]`. */
      probabilities: Float32Array;
    }
  | { kind: 'done'; runId: RunId }
  | { kind: 'cancelled'; runId: RunId }
  | { kind: 'failed'; runId: RunId; message: string }
  | { kind: 'probed'; runId: RunId; engine: EngineReport };

/** A two-way channel of messages: a forked process, a worker's port, or a pair in memory. */
export interface Port<Outgoing, Incoming> {
  post(message: Outgoing): void;
  onMessage(listener: (message: Incoming) => void): void;
}
