// A fake at the seam between service and trainer. With SAT, it runs out of memory unless the batch is small; with plain cross-entropy, it
// loses its device after every epoch until the last; with anything else, right after the first, and at once from then on.
import { existsSync, writeFileSync } from 'node:fs';
import { answer, playTrainer, reportEpoch } from './trainer-fake.ts';

playTrainer((command) => {
  const { runId, settings, checkpoint } = command;
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
