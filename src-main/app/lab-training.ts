import { setTimeout } from 'node:timers';
import type { EngineName } from '../../shared/domain.ts';
import { AppError } from '../../shared/result.ts';
import type { TrainerEvent } from '../../shared/trainer-protocol.ts';
import { createCollector } from '../lab/collect.ts';
import type { LabTraining, TrainingResult } from '../lab/experiment.ts';
import type { TrainingData } from './lab-data.ts';
import { startTrainerProcess } from './trainer-process.ts';

export interface TrainingJob {
  training: LabTraining;
  data: TrainingData;
  classes: number;
  engine: EngineName;
  engineFolder: string;
  nodePath: string;
  trainerProgram: string;
  onEvent: (event: TrainerEvent) => void;
  signal: AbortSignal;
}

/**
 * Runs one training in a process of its own to its end. A training that diverges is a result as well. Throws `AppError` 'engine' when
 * the engine cannot be loaded, 'trainer' when the process dies or fails otherwise, and 'cancelled' on abort.
 */
export async function runLabTraining(job: TrainingJob): Promise<TrainingResult> {
  const { training, data, engine, signal } = job;
  const began = performance.now();
  const collector = createCollector({ training, ...data, engine: { name: engine, device: '', version: '' } });
  const trainer = startTrainerProcess({ nodePath: job.nodePath, program: job.trainerProgram });
  const stop = (): void => {
    trainer.post({ kind: 'cancel', runId });
    setTimeout(() => trainer.kill(), patienceWithCancel).unref();
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    const error = await new Promise<string | null>((resolve, reject) => {
      let hasStarted = false;
      trainer.onMessage((event) => {
        collector.add(event);
        job.onEvent(event);
        if (event.kind === 'started') hasStarted = true;
        if (event.kind === 'done') resolve(null);
        else if (event.kind === 'cancelled') reject(cancelled());
        else if (event.kind === 'failed') {
          if (event.reason === 'diverged') resolve(event.message);
          else if (hasStarted) reject(failed(training, `failed. ${event.message}`));
          else reject(new AppError('engine', `The engine ${engine} cannot be used: ${event.message}`));
        }
      });
      void trainer.ended.then(({ code, signal: killedBy, lastWords }) => {
        if (signal.aborted) reject(cancelled());
        else reject(failed(training, `ended (${killedBy ?? code ?? 'not started'}). ${lastWords}`));
      });
      if (signal.aborted) stop();
      trainer.post(trainCommand(job));
    });
    return collector.result({ error, seconds: (performance.now() - began) / 1000 });
  } finally {
    signal.removeEventListener('abort', stop);
    trainer.kill();
    await trainer.ended;
  }
}

/** A process serves one training. */
const runId = 1;
/** A trainer that has not stopped by itself this long after being asked is killed, milliseconds. */
const patienceWithCancel = 1500;

function trainCommand({ training, data, classes, engine, engineFolder }: TrainingJob) {
  const { settings, seed, evaluateEvery, evaluationAttack, linearProbe } = training;
  return {
    kind: 'train',
    runId,
    settings: { ...settings, engine, seed, classes },
    pixels: data.pixels,
    labels: data.given,
    heldOut: {
      pixels: data.heldOutPixels,
      labels: data.heldOut,
      every: evaluateEvery,
      attack: evaluationAttack,
      linearProbe,
    },
    startWeights: null,
    weightsFile: null,
    checkpoint: null,
    embed: false,
    engineFolder,
  } as const;
}

function failed({ name }: LabTraining, how: string): AppError {
  return new AppError(
    'trainer',
    `During ${name}, the trainer ${how} Finished trainings are kept and reported; the same command tries this one again.`,
  );
}

function cancelled(): AppError {
  return new AppError('cancelled', 'The lab was interrupted; finished trainings are kept.');
}
