import * as tf from '@tensorflow/tfjs-core';
import { closeSync, fstatSync, fsyncSync, openSync, renameSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { readLarge, writeLarge } from './large-file.ts';

/*
 * Named tensors in the safetensors format, which other tools read: the length of a JSON header (8 bytes, little-endian), the header
 * with type, shape and place of every tensor, then their bytes.
 */

export interface StoredTensor {
  shape: readonly number[];
  values: Float32Array | Int32Array;
}

interface TensorHeader {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** Writes beside the file and moves it into place, so that at every moment either the old or the new content is there, whole. */
export function writeTensorFile(
  file: string,
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Record<string, string>,
): void {
  const header: Record<string, TensorHeader | Record<string, string>> = { __metadata__: metadata };
  const parts = bytesOf(tensors);
  let offset = 0;
  for (const [index, [name, { shape, values }]] of [...tensors].entries()) {
    const end = offset + parts[index]!.length;
    const dtype = values instanceof Int32Array ? 'I32' : 'F32';
    header[name] = { dtype, shape: [...shape], data_offsets: [offset, end] };
    offset = end;
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  // Of this process alone: one that was left behind by a service that died may still be at its last file.
  const unfinished = `${file}.${process.pid}.partial`;
  const descriptor = openSync(unfinished, 'w');
  try {
    for (const part of [length, json, ...parts]) writeLarge(descriptor, part);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(unfinished, file);
}

/** @throws Error when the file is not there, is no such file, or is cut short */
export function readTensorFile(file: string): {
  tensors: ReadonlyMap<string, StoredTensor>;
  metadata: Readonly<Record<string, string>>;
} {
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const { start, metadata, headers } = readHeader(file, descriptor);
    const tensors = new Map<string, StoredTensor>();
    for (const [name, { dtype, shape, data_offsets: place }] of Object.entries(headers)) {
      const [from, to] = [start + place[0], start + place[1]];
      if (to > size) throw new Error(`"${name}" is cut short.`);
      // Each straight into its own array: the whole file beside them would be as much again.
      const length = (to - from) / 4;
      if (dtype === 'F32')
        tensors.set(name, { shape, values: readInto(file, descriptor, new Float32Array(length), from) });
      else if (dtype === 'I32')
        tensors.set(name, { shape, values: readInto(file, descriptor, new Int32Array(length), from) });
    }
    return { tensors, metadata };
  } finally {
    closeSync(descriptor);
  }
}

/** What was written beside the tensors, without reading them. @throws Error as `readTensorFile` */
export function readMetadata(file: string): Readonly<Record<string, string>> {
  const descriptor = openSync(file, 'r');
  try {
    return readHeader(file, descriptor).metadata;
  } finally {
    closeSync(descriptor);
  }
}

interface Header {
  /** Where the bytes of the tensors begin. */
  start: number;
  metadata: Readonly<Record<string, string>>;
  headers: Readonly<Record<string, TensorHeader>>;
}

function readHeader(file: string, descriptor: number): Header {
  const length = readInto(file, descriptor, new Uint8Array(8), 0);
  const start = 8 + Number(new DataView(length.buffer).getBigUint64(0, true));
  // Before anything is made room for.
  if (start > fstatSync(descriptor).size) throw new Error(`${file} is cut short.`);
  const { __metadata__: metadata = {}, ...headers } = JSON.parse(
    new TextDecoder().decode(readInto(file, descriptor, new Uint8Array(start - 8), 8)),
  ) as { __metadata__?: Record<string, string> } & Record<string, TensorHeader>;
  return { start, metadata, headers };
}

function readInto<T extends Uint8Array | Float32Array | Int32Array>(
  file: string,
  descriptor: number,
  into: T,
  position: number,
): T {
  const bytes = new Uint8Array(into.buffer);
  if (readLarge(descriptor, bytes, position) < bytes.length) throw new Error(`${file} is cut short.`);
  return into;
}

/** CRC-32 of all values, in their order, after that of some text. */
export function checksumOf(text: string, tensors: ReadonlyMap<string, StoredTensor>): number {
  return bytesOf(tensors).reduce((sum, part) => crc32(part, sum), crc32(text));
}

/** The present values of variables, by name. */
export async function readVariables(variables: ReadonlyMap<string, tf.Variable>): Promise<Map<string, StoredTensor>> {
  const read = async ([name, variable]: [string, tf.Variable]): Promise<[string, StoredTensor]> => {
    const values = await variable.data<'float32'>();
    return [name, { shape: variable.shape, values: values.slice() }];
  };
  return new Map(await Promise.all([...variables].map(read)));
}

/** Gives a variable stored values; false, and no change, when there are none of its shape. */
export function assignStored(variable: tf.Variable, stored: StoredTensor | undefined): boolean {
  if (!(stored?.values instanceof Float32Array) || String(stored.shape) !== String(variable.shape)) return false;
  const { values } = stored;
  tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
  return true;
}

function bytesOf(tensors: ReadonlyMap<string, StoredTensor>): Uint8Array[] {
  return [...tensors.values()].map(({ values }) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
}
