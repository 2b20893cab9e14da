import type { EngineName, EngineReport } from '../../shared/domain.ts';
import { errorMessage } from '../../shared/result.ts';
import type { FailureReason, Port, TrainerCommand, TrainerEvent } from '../../shared/trainer-protocol.ts';
import { loadEngine } from '../engine/engines.ts';
import { CheckpointError } from './checkpoint.ts';
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
  const { runId, settings, engineFolder } = command;
  const engine = await reportEngine(settings.engine, engineFolder, false);
  port.post({ kind: 'started', runId, engine });
  const finished = await train(command, {
    report: (event) => port.post(event),
    isStopped: () => cancelledRun === runId,
    whenStored: (epoch) => stored.when(epoch),
  });
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
    port.post({ kind: 'failed', runId, reason: reasonOf(error), message: errorMessage(error) });
  }
}

function reasonOf(error: unknown): FailureReason {
  if (error instanceof DivergedError) return 'diverged';
  if (error instanceof CheckpointError) return 'checkpoint';
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
