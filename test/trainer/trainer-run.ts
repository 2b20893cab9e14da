import { writeFile } from 'node:fs/promises';
import type { EngineName, TrainingSettings } from '../../shared/domain.ts';
import type { TrainerCommand, TrainerEvent } from '../../shared/trainer-protocol.ts';
import { startTrainerProcess } from '../../src-main/app/trainer-process.ts';
import { createRandom } from '../../src-main/domain/random.ts';
import { programPaths } from '../../src-main/hosts/paths.ts';
import { engineFolderForTests } from '../support/engine-folder.ts';

/* Short runs of the real trainer in a process of its own. */

export type TrainCommand = Extract<TrainerCommand, { kind: 'train' }>;
export type EventOf<K extends TrainerEvent['kind']> = Extract<TrainerEvent, { kind: K }>;

export const classes = 3;
export const resolution = 32;
const runId = 1;

const { nodePath, trainerProgram } = programPaths();

/** What is done to a run from outside. */
export interface RunControl {
  /** Ends the trainer as a power cut does. */
  kill(): void;
  /** Asks it to stop. */
  stop(): void;
}

/** All events of one run, to its end, or to the last one that came before it was killed. */
export async function runTrainer(
  command: Pick<TrainCommand, 'settings' | 'pixels' | 'labels'> & Partial<TrainCommand>,
  onEvent: (event: TrainerEvent, control: RunControl) => void = () => undefined,
): Promise<TrainerEvent[]> {
  const trainer = startTrainerProcess({ nodePath, program: trainerProgram });
  const events: TrainerEvent[] = [];
  let killed = false;
  const control: RunControl = {
    kill: () => {
      killed = true;
      trainer.kill();
    },
    stop: () => trainer.post({ kind: 'cancel', runId }),
  };
  try {
    await new Promise<void>((resolve, reject) => {
      trainer.onMessage((event) => {
        events.push(event);
        onEvent(event, control);
        if (event.kind === 'epoch') trainer.post({ kind: 'stored', runId, epoch: event.epoch });
        if (event.kind === 'done' || event.kind === 'failed' || event.kind === 'cancelled') resolve();
      });
      void trainer.ended.then((exit) => (killed ? resolve() : reject(new Error(exit.lastWords))));
      trainer.post({
        kind: 'train',
        runId,
        heldOut: null,
        startWeights: null,
        weightsFile: null,
        checkpoint: null,
        embed: false,
        engineFolder: engineFolderForTests(),
        ...command,
      });
    });
  } finally {
    trainer.kill();
    await trainer.ended;
  }
  return events;
}

export function usualSettings(engine: EngineName): TrainingSettings {
  return {
    engine,
    recipe: 'sat',
    seed: 1,
    network: 'compact',
    width: 4,
    resolution,
    classes,
    epochs: 4,
    startEpoch: 2,
    targetMomentum: 0.7,
    batchSize: 10,
    optimizer: 'sgd-nesterov',
    learningRate: 0.05,
    schedule: { kind: 'one-cycle' },
    weightDecay: 5e-4,
    augmentation: 'shift-flip',
    attack: null,
  };
}

/** Writes a pixel file of noise. */
export async function writeNoise(file: string, samples: number, seed = 3): Promise<void> {
  const random = createRandom(seed);
  await writeFile(
    file,
    Uint8Array.from({ length: samples * resolution ** 2 * 3 }, () => random.integer(256)),
  );
}

/** TensorFlow may not be installed where the tests run; WebAssembly always is. */
export function isAbsent(engine: EngineName, events: TrainerEvent[]): boolean {
  return engine !== 'wasm' && events.at(-1)?.kind === 'failed' && eventsOf(events, 'started').length === 0;
}

export function eventsOf<K extends TrainerEvent['kind']>(events: TrainerEvent[], kind: K): EventOf<K>[] {
  return events.filter((event): event is EventOf<K> => event.kind === kind);
}
