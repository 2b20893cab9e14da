import type { EngineName, EngineReport } from '../../shared/domain.ts';
import { errorMessage } from '../../shared/result.ts';
import type { Port, TrainerCommand, TrainerEvent } from '../../shared/trainer-protocol.ts';
import { loadEngine } from '../engine/engines.ts';
import { measureTrainingGflops } from './probe.ts';
import { DivergedError, train, type TrainCommand } from './train.ts';

/*
 * The trainer's process: one engine, one run at a time. It talks to the service through the channel that
 * it was forked with and ends when that closes, so it never outlives the service.
 */

const port = processPort();
let cancelledRun: number | null = null;

port.onMessage((command) => {
  switch (command.kind) {
    case 'cancel':
      cancelledRun = command.runId;
      break;
    case 'train':
      void answer(command.runId, () => runTraining(command));
      break;
    case 'probe':
      void answer(command.runId, () => runProbe(command));
      break;
  }
});

async function runTraining(command: TrainCommand): Promise<void> {
  const { runId, settings, engineFolder } = command;
  const engine = await reportEngine(settings.engine, engineFolder, false);
  port.post({ kind: 'started', runId, engine });
  const finished = await train(
    command,
    (event) => port.post(event),
    () => cancelledRun === runId,
  );
  port.post({ kind: finished ? 'done' : 'cancelled', runId });
}

async function runProbe({
  runId,
  engine,
  measure,
  engineFolder,
}: Extract<TrainerCommand, { kind: 'probe' }>): Promise<void> {
  port.post({ kind: 'probed', runId, engine: await reportEngine(engine, engineFolder, measure) });
}

async function reportEngine(name: EngineName, engineFolder: string | null, measure: boolean): Promise<EngineReport> {
  const engine = await loadEngine(name, engineFolder);
  const trainingGflops = measure ? measureTrainingGflops() : null;
  return { ...engine, available: true, trainingGflops, absentBecause: null };
}

async function answer(runId: number, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const reason = error instanceof DivergedError ? 'diverged' : 'error';
    port.post({ kind: 'failed', runId, reason, message: errorMessage(error) });
  }
}

function processPort(): Port<TrainerEvent, TrainerCommand> {
  if (process.send === undefined) {
    process.stderr.write('The trainer is started by Winnow and cannot be run by itself.\n');
    process.exit(2);
  }
  process.once('disconnect', () => process.exit(0));
  return {
    post: (message) => void process.send?.(message),
    onMessage: (listener) => void process.on('message', (message) => listener(message as TrainerCommand)),
  };
}
