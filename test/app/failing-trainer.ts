// A fake at the seam between the lab and the trainer: plain cross-entropy runs to its end, SAT fails as where memory runs out, and
// everything else takes the process along.
import process from 'node:process';
import type { TrainerCommand, TrainerEvent } from '../../shared/trainer-protocol.ts';

const engine = { name: 'wasm', available: true, device: 'fake', version: '1', source: null } as const;
const report = { ...engine, trainingGflops: 5, absentBecause: null };

process.on('message', (command: TrainerCommand) => {
  const { runId } = command;
  if (command.kind === 'probe') answer({ kind: 'probed', runId, engine: report });
  if (command.kind !== 'train') return;
  answer({ kind: 'started', runId, engine: report });
  const { recipe } = command.settings;
  if (recipe === 'cross-entropy') answer({ kind: 'done', runId });
  else if (recipe === 'sat') answer({ kind: 'failed', runId, reason: 'error', message: 'No memory is left.' });
  else process.abort();
});

function answer(event: TrainerEvent): void {
  process.send?.(event);
}
