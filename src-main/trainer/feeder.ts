import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { PixelFile } from '../../shared/trainer-protocol.ts';
import type { Moves } from '../sat/augmentation.ts';
import type { ChannelScale } from './feed.ts';

/** Makes batches ready in a thread of its own, one while another is trained on. */
export interface Feeder {
  /**
   * The scaled and moved pixels of some samples, `[indices, resolution, resolution, 3]`. They are the caller's until `giveBack`; two
   * batches may be out at once.
   */
  read(indices: Int32Array, moves: Moves | null): Promise<Float32Array>;
  giveBack(pixels: Float32Array): void;
  close(): Promise<void>;
}

/** What the thread is started with. */
export interface FeederData {
  pixels: PixelFile;
  scale: ChannelScale;
}

/** `memory` comes back with the pixels in it. */
export interface FeederRequest {
  indices: Int32Array;
  moves: Moves | null;
  memory: ArrayBuffer;
}

/** @param largestBatch pictures that are asked for at once, at most */
export function startFeeder(data: FeederData, largestBatch: number): Feeder {
  const size = data.pixels.resolution ** 2 * 3;
  const worker = new Worker(threadFile(), { workerData: data });
  // Memory that is new takes longer to touch than to fill, so the same two pieces go to and fro.
  const free = Array.from({ length: 2 }, () => new ArrayBuffer(largestBatch * size * Float32Array.BYTES_PER_ELEMENT));
  let failure: Error | null = null;
  let pending: { resolve: (memory: ArrayBuffer) => void; reject: (error: Error) => void } | null = null;
  // A failure between two requests is told to the next one.
  const fail = (error: Error): void => {
    failure ??= error;
    pending?.reject(failure);
    pending = null;
  };
  worker.on('message', (memory: ArrayBuffer) => {
    pending?.resolve(memory);
    pending = null;
  });
  worker.on('error', fail);
  worker.on('exit', () => fail(new Error('The thread that reads the pixels ended.')));
  return {
    read: async (indices, moves) => {
      if (failure !== null) throw failure;
      const memory = free.pop();
      if (memory === undefined || pending !== null) throw new Error('Two batches are out already.');
      const request: FeederRequest = { indices, moves, memory };
      worker.postMessage(request, [memory]);
      const filled = await new Promise<ArrayBuffer>((resolve, reject) => (pending = { resolve, reject }));
      return new Float32Array(filled, 0, indices.length * size);
    },
    giveBack: ({ buffer }) => void free.push(buffer as ArrayBuffer),
    close: async () => void (await worker.terminate()),
  };
}

/** Beside this file: in the sources, or in the build, where it is a program of its own. */
function threadFile(): string {
  const isBuilt = !import.meta.url.endsWith('.ts');
  return fileURLToPath(new URL(isBuilt ? './feeder-thread.js' : './feeder-thread.ts', import.meta.url));
}
