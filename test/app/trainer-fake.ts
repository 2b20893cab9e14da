import process from 'node:process';
import type { EngineReport } from '../../shared/domain.ts';
import type { Beliefs, TrainerCommand, TrainerEvent } from '../../shared/trainer-protocol.ts';

/* What the fakes at the seam between service and trainer have in common. */

export type TrainCommand = Extract<TrainerCommand, { kind: 'train' }>;

export const fakeEngine: EngineReport = {
  name: 'wasm',
  available: true,
  device: 'fake',
  version: '1',
  source: null,
  trainingGflops: 5,
  absentBecause: null,
};

export function answer(event: TrainerEvent): void {
  process.send?.(event);
}

/** Measures like a real trainer, and does as given when it is to train. */
export function playTrainer(train: (command: TrainCommand) => void): void {
  process.on('message', (command: TrainerCommand) => {
    if (command.kind === 'probe') answer({ kind: 'probed', runId: command.runId, engine: fakeEngine });
    if (command.kind === 'train') train(command);
  });
}

/** Reports an epoch after which every class is as likely as any other. */
export function reportEpoch(
  { runId, labels, settings }: TrainCommand,
  epoch: number,
  abstention: Beliefs['abstention'] = null,
): void {
  const even = new Float32Array(labels.length * settings.classes).fill(1 / settings.classes);
  answer({
    ...{ kind: 'epoch', runId, epoch, loss: 1, accuracy: 0.5, spread: null, learningRate: 0.1 },
    ...{ imagesPerSecond: 100, seconds: 1, secondsLeft: 9 },
    beliefs: { targets: even, probabilities: even, average: even, abstention },
  });
}
