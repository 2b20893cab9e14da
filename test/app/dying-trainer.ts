// A fake at the seam between service and trainer: it measures like a real one and dies when it is to train, as a crashing
// driver would.
import type { TrainerCommand } from '../../shared/trainer-protocol.ts';

process.on('message', ({ kind, runId }: TrainerCommand) => {
  if (kind === 'probe') {
    const engine = { name: 'wasm', available: true, device: 'fake', version: '', source: null };
    process.send?.({ kind: 'probed', runId, engine: { ...engine, trainingGflops: 5, absentBecause: null } });
    return;
  }
  process.stderr.write('the driver is on fire\n');
  process.abort();
});
