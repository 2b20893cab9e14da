import process from 'node:process';
import type { TrainerCommand, TrainerEvent } from '../../../shared/trainer-protocol.ts';
import { simulatedNumbers, simulateRows } from './simulated.ts';

/* Stands in for a trainer: to `stored` it answers with what one would report of an epoch of so many samples as the command's epoch. */

let event: Extract<TrainerEvent, { kind: 'epoch' }> | null = null;

process.on('message', (command: TrainerCommand) => {
  if (command.kind !== 'stored') return;
  const samples = command.epoch;
  event ??= {
    kind: 'epoch',
    runId: command.runId,
    ...simulatedNumbers,
    beliefs: {
      targets: simulateRows(samples, 1),
      probabilities: simulateRows(samples, 2),
      average: simulateRows(samples, 3),
      abstention: null,
    },
  };
  process.send?.(event);
});
