import { parentPort, workerData } from 'node:worker_threads';
import { openPixelFeed } from './feed.ts';
import type { FeederData, FeederRequest } from './feeder.ts';

/* The thread of a feeder: it fills the memory that it is sent and sends it back. */

const { pixels, scale } = workerData as FeederData;
const feed = openPixelFeed(pixels, scale, { keep: true });

parentPort!.on('message', ({ indices, moves, memory }: FeederRequest) => {
  feed.read(indices, new Float32Array(memory), moves);
  parentPort!.postMessage(memory, [memory]);
});
