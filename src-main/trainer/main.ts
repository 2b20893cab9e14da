import { setTimeout } from 'node:timers/promises';
import type { EngineReport } from '../../shared/domain.ts';
import { errorMessage } from '../../shared/result.ts';
import type { FailureReason, Port, TrainerCommand, TrainerEvent } from '../../shared/trainer-protocol.ts';
import { loadEngine, type LoadedEngine } from '../engine/engines.ts';
import { DeviceLostError } from '../engine/webgpu.ts';
import { CheckpointError, precisionOf } from './checkpoint.ts';
import { measureTrainingGflops } from './probe.ts';
import { DivergedError, train, type TrainCommand } from './train.ts';

/*
 * The trainer's process: one engine, one run at a time. It talks to the service through the channel that
 * it was forked with and ends when that closes, so it never outlives the service.
 */

const port = processPort();
let cancelledRun: number | null = null;
/** Of the run that is trained now. */
let stored = createStoredEpochs();

port.onMessage((command) => {
  switch (command.kind) {
    case 'cancel':
      cancelledRun = command.runId;
      break;
    case 'stored':
      stored.add(command.epoch);
      break;
    case 'train':
      stored = createStoredEpochs();
      void answer(command.runId, () => runTraining(command));
      break;
    case 'probe':
      void answer(command.runId, () => runProbe(command));
      break;
  }
});

async function runTraining(command: TrainCommand): Promise<void> {
  const { runId, settings, engineFolder, checkpoint } = command;
  const earlierPrecision = checkpoint?.resume === true ? precisionOf(checkpoint.file) : null;
  const engine = await loadEngine(settings.engine, engineFolder, earlierPrecision);
  port.post({ kind: 'started', runId, engine: reportOf(engine, null) });
  const finished = await whileWhole(
    engine,
    train(command, engine, {
      report: (event) => port.post(event),
      isStopped: () => cancelledRun === runId,
      whenStored: (epoch) => stored.when(epoch),
    }),
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
  const trainingGflops = measure ? await whileWhole(engine, measureTrainingGflops(engine)) : null;
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

function reasonOf(error: unknown): FailureReason {
  if (error instanceof DivergedError) return 'diverged';
  if (error instanceof CheckpointError) return 'checkpoint';
  if (error instanceof DeviceLostError) return 'device-lost';
  const message = errorMessage(error);
  if (outOfMemory.test(message)) return 'out-of-memory';
  if (deviceLost.test(message)) return 'device-lost';
  return 'error';
}

/** As TensorFlow, CUDA, WebGPU, emscripten and V8 say it. */
const outOfMemory = /resource ?exhausted|\bOOM\b|out of memory|cannot enlarge memory|allocation failed/i;
const deviceLost = /\bdevice\b.*\blost\b|\blost\b.*\bdevice\b/i;

/** The epochs of the run that the service has stored. */
function createStoredEpochs(): { add(epoch: number): void; when(epoch: number): Promise<void> } {
  const stored = new Set<number>();
  const waiting = new Map<number, () => void>();
  return {
    add: (epoch) => {
      stored.add(epoch);
      waiting.get(epoch)?.();
    },
    when: (epoch) => (stored.has(epoch) ? Promise.resolve() : new Promise((resolve) => waiting.set(epoch, resolve))),
  };
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
