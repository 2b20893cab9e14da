import type * as tf from '@tensorflow/tfjs-core';
import type { Network } from '../sat/models/network.ts';
import { assignStored, readTensorFile, readVariables, writeTensorFile, type StoredTensor } from './tensor-file.ts';

/* The weights that a run leaves behind, for others to start from (ADR 5). */

/** Replaces the file atomically, so that a crash leaves the weights of the epoch before. */
export async function saveWeights(network: Network, file: string, metadata: Record<string, string>): Promise<void> {
  writeTensorFile(file, await readVariables(tensorsOf(network)), metadata);
}

/**
 * Gives the encoder of a network the weights of a file; the classifier keeps its own, because the classes may differ.
 * @throws Error when the file is of another network
 */
export function loadEncoder(network: Network, file: string): void {
  const tensors = readWeights(file);
  for (const [name, variable] of tensorsOf(network)) {
    if (name.startsWith('head/')) continue;
    if (!assignStored(variable, tensors.get(name))) {
      throw new Error(
        `The weights ${file} are of another network: "${name}" should be ${variable.shape.join(' × ')}. Train with the same network, width and input size.`,
      );
    }
  }
}

function readWeights(file: string): ReadonlyMap<string, StoredTensor> {
  try {
    return readTensorFile(file).tensors;
  } catch (cause) {
    throw new Error(`The weights ${file} are damaged. Train without them.`, { cause });
  }
}

function tensorsOf({ parameters, statistics }: Network): ReadonlyMap<string, tf.Variable> {
  return new Map([...parameters, ...statistics]);
}
