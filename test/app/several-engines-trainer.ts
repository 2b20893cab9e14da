// A fake at the seam between service and trainer: its engines are as `WINNOW_TEST_ENGINES` says, `{name: {device, gflops}}`; others are absent.
import type { TrainerCommand } from '../../shared/trainer-protocol.ts';

const engines = JSON.parse(process.env['WINNOW_TEST_ENGINES'] ?? '{}') as Record<
  string,
  { device: string; gflops: number } | undefined
>;

process.on('message', (command: TrainerCommand) => {
  if (command.kind !== 'probe') return;
  const { runId, engine: name, measure } = command;
  const found = engines[name];
  if (found === undefined) {
    process.send?.({ kind: 'failed', runId, reason: 'error', message: `no ${name} here` });
    return;
  }
  const engine = { name, available: true, device: found.device, version: '', source: null, absentBecause: null };
  process.send?.({ kind: 'probed', runId, engine: { ...engine, trainingGflops: measure ? found.gflops : null } });
});
