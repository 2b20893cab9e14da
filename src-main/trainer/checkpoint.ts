import type * as tf from '@tensorflow/tfjs-core';
import { closeSync, openSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { TrainingSettings } from '../../shared/domain.ts';
import type { TrainerEvent } from '../../shared/trainer-protocol.ts';
import type { Random, RandomState } from '../domain/random.ts';
import { precisions, type Precision } from '../engine/precision.ts';
import type { Optimizer } from '../sat/optimizer.ts';
import type { Learner } from '../sat/recipes/recipe.ts';
import {
  assignStored,
  checksumOf,
  readMetadata,
  readTensorFile,
  readVariables,
  writeTensorFile,
  type StoredTensor,
} from './tensor-file.ts';

/*
 * Everything that a run's course depends on, in one file (ADR 15). A run that goes on from it does what it would have done, to the bit
 * where the engine repeats itself.
 */

/** What of a run is kept, and set again. */
export interface Kept {
  learner: Learner;
  optimizer: Optimizer;
  /** The loop's own streams of random numbers, by name. */
  streams: ReadonlyMap<string, Random>;
  /** Of the engine, for the one that goes on (`precisionOf`); null or absent where it has but one. */
  precision?: Precision | null;
}

/** What must be the same for a run to go on. */
export interface RunIdentity {
  settings: TrainingSettings;
  /** `digestOfFile` of the pixels. */
  pixels: number;
  labels: Int32Array;
}

/** How far a run is. */
export interface Progress {
  /** The epoch that is under way or next, from 0. */
  epoch: number;
  /** Samples of it that are done; 0 between epochs. */
  position: number;
  /** Sums over them. */
  sums: { loss: number; spread: number; agreeing: number };
  /** What the run has taken so far. */
  seconds: number;
  /** The numbers of the epoch before; null within an epoch, because beliefs have moved on since. */
  report: EpochNumbers | null;
}

export type EpochNumbers = Omit<Extract<TrainerEvent, { kind: 'epoch' }>, 'kind' | 'runId' | 'beliefs'>;

/** Arrays of the run by name: targets and what else it believes, and within an epoch the order of its samples. */
export type KeptArrays = ReadonlyMap<string, Float32Array | Int32Array>;

/** Thrown when a run cannot go on from a checkpoint; the message says why and what to do. */
export class CheckpointError extends Error {}

/** Raised when the meaning of what is kept changes. */
const formatVersion = '2';

/** Replaces the file atomically. */
export async function writeCheckpoint(
  file: string,
  { settings, pixels, labels }: RunIdentity,
  kept: Kept,
  progress: Progress,
  arrays: KeptArrays,
): Promise<void> {
  const tensors = new Map(await readVariables(variablesOf(kept)));
  for (const [name, values] of arrays) tensors.set(`array/${name}`, { shape: [values.length], values });
  const state: State = {
    settings,
    pixels,
    labels: digestOfLabels(labels),
    optimizerSteps: kept.optimizer.steps,
    streams: Object.fromEntries([...streamsOf(kept)].map(([name, random]) => [name, random.state()])),
    progress,
    precision: kept.precision ?? null,
  };
  const text = JSON.stringify(state);
  writeTensorFile(file, tensors, {
    program: 'winnow',
    kind: 'checkpoint',
    version: formatVersion,
    checksum: String(checksumOf(text, tensors)),
    state: text,
  });
}

/**
 * Sets what is kept to what the file holds. The engine may be another one, and the batch size too: the state means the same to all.
 * @throws CheckpointError; what is kept is then good for nothing
 */
export function restoreCheckpoint(
  file: string,
  identity: RunIdentity,
  kept: Kept,
): { progress: Progress; arrays: KeptArrays } {
  const { state, tensors } = readState(file);
  requireSame(file, state, identity);
  for (const [name, variable] of variablesOf(kept)) {
    if (!assignStored(variable, tensors.get(name))) throw damaged(file);
  }
  for (const [name, random] of streamsOf(kept)) {
    const stream = state.streams[name];
    if (stream === undefined) throw damaged(file);
    random.restore(stream);
  }
  kept.optimizer.steps = state.optimizerSteps;
  const arrays = [...tensors]
    .filter(([name]) => name.startsWith('array/'))
    .map(([name, { values }]): [string, Float32Array | Int32Array] => [name.slice('array/'.length), values]);
  return { progress: state.progress, arrays: new Map(arrays) };
}

/** The precision with which the run of a checkpoint was computed; null where there is none to tell, for whatever reason. */
export function precisionOf(file: string): Precision | null {
  try {
    const state = JSON.parse(readMetadata(file)['state'] ?? '{}') as Partial<State>;
    return precisions.find((precision) => precision === state.precision) ?? null;
  } catch {
    // Going on from the file will say what is wrong with it.
    return null;
  }
}

/** CRC-32 of a file's bytes: enough to notice that a picture is another one, and as quick as reading. */
export function digestOfFile(file: string): number {
  const chunk = Buffer.allocUnsafe(4 * 1024 * 1024);
  const descriptor = openSync(file, 'r');
  try {
    let sum = 0;
    for (;;) {
      const length = readSync(descriptor, chunk, 0, chunk.length, null);
      if (length === 0) return sum;
      sum = crc32(chunk.subarray(0, length), sum);
    }
  } finally {
    closeSync(descriptor);
  }
}

interface State {
  settings: TrainingSettings;
  pixels: number;
  labels: number;
  optimizerSteps: number;
  streams: Record<string, RandomState>;
  progress: Progress;
  /** Absent in files from before there was a choice. */
  precision?: Precision | null;
}

function readState(file: string): { state: State; tensors: ReadonlyMap<string, StoredTensor> } {
  let stored: ReturnType<typeof readTensorFile>;
  try {
    stored = readTensorFile(file);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT')
      throw new CheckpointError(`There is no saved state ${file} to go on from. ${startAgain}`, { cause });
    throw damaged(file, cause);
  }
  const { metadata, tensors } = stored;
  const { program, kind, version, checksum, state: text = '' } = metadata;
  if (program !== 'winnow' || kind !== 'checkpoint')
    throw new CheckpointError(`${file} is not the saved state of a training. ${startAgain}`);
  // Before the checksum, which another version may take of other things.
  if (version !== formatVersion) {
    throw new CheckpointError(
      `The saved state ${file} was written by another version of Winnow, and this one does not know what it means. Go on with that version, or start the training again.`,
    );
  }
  if (checksum !== String(checksumOf(text, tensors))) throw damaged(file);
  return { state: JSON.parse(text) as State, tensors };
}

function requireSame(file: string, state: State, { settings, pixels, labels }: RunIdentity): void {
  const other = sameSettings.find((key) => JSON.stringify(state.settings[key]) !== JSON.stringify(settings[key]));
  if (other !== undefined || state.labels !== digestOfLabels(labels)) {
    const what = other ?? 'labels';
    throw new CheckpointError(`The saved state ${file} is of another training: its ${what} differ. ${startAgain}`);
  }
  if (state.pixels !== pixels) {
    throw new CheckpointError(
      'The images are no longer those that this training began with: files were changed, moved or removed, and their decoded copies are gone. ' +
        'Bring the files back as they were and resume, or start again with the images as they are now.',
    );
  }
}

/** All but the engine and the batch size. */
const sameSettings = [
  'recipe',
  'seed',
  'network',
  'width',
  'resolution',
  'classes',
  'epochs',
  'startEpoch',
  'targetMomentum',
  'optimizer',
  'learningRate',
  'schedule',
  'weightDecay',
  'augmentation',
  'attack',
] as const satisfies (keyof TrainingSettings)[];

function variablesOf({ learner, optimizer }: Kept): ReadonlyMap<string, tf.Variable> {
  const variables = new Map([...learner.variables].map(([name, variable]) => [`variable/${name}`, variable]));
  for (const [slot, byParameter] of Object.entries(optimizer.slots)) {
    for (const [name, parameter] of learner.parameters)
      variables.set(`${slot}/${name}`, byParameter.get(parameter.name)!);
  }
  return variables;
}

function streamsOf({ learner, streams }: Kept): ReadonlyMap<string, Random> {
  return new Map([...streams, ...[...learner.streams].map(([name, random]) => [`learner/${name}`, random] as const)]);
}

function digestOfLabels({ buffer, byteOffset, byteLength }: Int32Array): number {
  return crc32(new Uint8Array(buffer, byteOffset, byteLength));
}

const startAgain = 'Start the training again.';

function damaged(file: string, cause?: unknown): CheckpointError {
  return new CheckpointError(`The saved state ${file} is damaged. ${startAgain}`, { cause });
}
