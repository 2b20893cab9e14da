import * as tf from '@tensorflow/tfjs-core';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Network } from '../sat/models/network.ts';

/*
 * Weights in the safetensors format, which other tools read: the length of a JSON header (8 bytes, little-endian), the header with
 * type, shape and place of every tensor, then their bytes.
 */

interface TensorHeader {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** Writes beside the file and moves it into place, so that a crash leaves the weights of the epoch before. */
export async function saveWeights(network: Network, file: string, metadata: Record<string, string>): Promise<void> {
  const header: Record<string, TensorHeader | Record<string, string>> = { __metadata__: metadata };
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const [name, variable] of tensorsOf(network)) {
    const bytes = new Uint8Array((await variable.data<'float32'>()).slice().buffer);
    header[name] = { dtype: 'F32', shape: variable.shape, data_offsets: [offset, offset + bytes.length] };
    parts.push(bytes);
    offset += bytes.length;
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const unfinished = `${file}.partial`;
  const descriptor = openSync(unfinished, 'w');
  try {
    for (const part of [length, json, ...parts]) writeFileSync(descriptor, part);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(unfinished, file);
}

/**
 * Gives the encoder of a network the weights of a file; the classifier keeps its own, because the classes may differ.
 * @throws Error when the file is of another network
 */
export function loadEncoder(network: Network, file: string): void {
  const bytes = readFileSync(file);
  const { header, start: dataStart } = readHeader(bytes, file);
  for (const [name, variable] of tensorsOf(network)) {
    if (name.startsWith('head/')) continue;
    const found = header[name];
    if (found?.dtype !== 'F32' || String(found.shape) !== String(variable.shape)) {
      throw new Error(
        `The weights ${file} are of another network: "${name}" should be ${variable.shape.join(' × ')}. Train with the same network, width and input size.`,
      );
    }
    const [start, end] = found.data_offsets;
    // A copy, because the tensors may start at an odd offset.
    const values = new Float32Array(new Uint8Array(bytes.subarray(dataStart + start, dataStart + end)).buffer);
    tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
  }
}

/** @returns the header and where the tensors' bytes start */
function readHeader(bytes: Buffer, file: string): { header: Record<string, TensorHeader>; start: number } {
  try {
    const start = 8 + Number(bytes.readBigUInt64LE(0));
    return { header: JSON.parse(bytes.toString('utf8', 8, start)) as Record<string, TensorHeader>, start };
  } catch (cause) {
    throw new Error(`The weights ${file} are damaged. Train without them.`, { cause });
  }
}

function tensorsOf({ parameters, statistics }: Network): [string, tf.Variable][] {
  return [...parameters, ...statistics];
}
