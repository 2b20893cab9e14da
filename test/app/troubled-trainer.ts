// A fake at the seam between service and trainer. With SAT, it runs out of memory unless the batch is small; with plain cross-entropy, it
// loses its device after every epoch until the last; with anything else, right after the first, and at once from then on.
import { existsSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import type { TrainerCommand, TrainerEvent } from '../../shared/trainer-protocol.ts';

process.on('message', (command: TrainerCommand) => {
  const { runId } = command;
  if (command.kind === 'probe') {
    const engine = { name: 'wasm', available: true, device: 'fake', version: '', source: null } as const;
    answer({ kind: 'probed', runId, engine: { ...engine, trainingGflops: 5, absentBecause: null } });
  }
  if (command.kind !== 'train') return;
  const { settings, checkpoint } = command;
  const fail = (reason: 'out-of-memory' | 'device-lost', message: string): void =>
    answer({ kind: 'failed', runId, reason, message });
  if (settings.recipe === 'sat' && settings.batchSize > 8) return fail('out-of-memory', 'ResourceExhausted: OOM');
  const goesOn = checkpoint!.resume && existsSync(checkpoint!.file);
  if (settings.recipe === 'selective' && goesOn) return fail('device-lost', 'The device was lost.');
  const epoch = goesOn ? 1 : 0;
  reportEpoch(command, epoch);
  if (settings.recipe === 'sat') return answer({ kind: 'done', runId });
  writeFileSync(checkpoint!.file, 'as if');
  if (epoch === settings.epochs - 1) answer({ kind: 'done', runId });
  else fail('device-lost', 'The device was lost.');
});

function reportEpoch({ runId, labels, settings }: Extract<TrainerCommand, { kind: 'train' }>, epoch: number): void {
  const even = new Float32Array(labels.length * settings.classes).fill(1 / settings.classes);
  answer({
    ...{ kind: 'epoch', runId, epoch, loss: 1, accuracy: 0.5, spread: null, learningRate: 0.1 },
    ...{ imagesPerSecond: 100, seconds: 1, secondsLeft: 9 },
    beliefs: { targets: even, probabilities: even, average: even, abstention: null },
  });
}

function answer(event: TrainerEvent): void {
  process.send?.(event);
}
