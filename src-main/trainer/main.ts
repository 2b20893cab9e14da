import { setTimeout } from 'node:timers/promises';
import type { EngineReport } from '../../shared/domain.ts';
import { errorMessage } from '../../shared/result.ts';
import type { Port, TrainerCommand, TrainerEvent } from '../../shared/trainer-protocol.ts';
import { loadEngine, type LoadedEngine } from '../engine/engines.ts';
import { DeviceLostError } from '../engine/webgpu.ts';
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
  const engine = await loadEngine(settings.engine, engineFolder);
  port.post({ kind: 'started', runId, engine: reportOf(engine, null) });
  const finished = await whileWhole(
    engine,
    train(
      command,
      (event) => port.post(event),
      () => cancelledRun === runId,
    ),
  );
  port.post({ kind: finished ? 'done' : 'cancelled', runId });
}

async function runProbe({
  runId,
  engine: name,
  measure,
  engineFolder,
}: Extract<TrainerCommand, { kind: 'probe' }>): Promise<void> {
  const engine = await loadEngine(name, engineFolder);
  const trainingGflops = measure ? await whileWhole(engine, measureTrainingGflops()) : null;
  port.post({ kind: 'probed', runId, engine: reportOf(engine, trainingGflops) });
}

function reportOf({ name, device, version, source }: LoadedEngine, trainingGflops: number | null): EngineReport {
  return { name, device, version, source, available: true, trainingGflops, absentBecause: null };
}

/** The result of work on an engine, unless the engine breaks: then why it broke, and not what the work makes of the ruins. */
async function whileWhole<T>({ broken }: LoadedEngine, work: Promise<T>): Promise<T> {
  if (broken === null) return await work;
  try {
    return await Promise.race([work, broken]);
  } catch (error) {
    // Reading from a lost device may fail before the loss itself is reported.
    await Promise.race([broken, setTimeout(lossReportMilliseconds)]);
    throw error;
  }
}

const lossReportMilliseconds = 500;

async function answer(runId: number, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    port.post({ kind: 'failed', runId, reason: reasonOf(error), message: errorMessage(error) });
  }
}

function reasonOf(error: unknown): Extract<TrainerEvent, { kind: 'failed' }>['reason'] {
  if (error instanceof DivergedError) return 'diverged';
  return error instanceof DeviceLostError ? 'device-lost' : 'error';
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
