import { channel } from 'node:diagnostics_channel';
import type { TrainingSettings } from '../../shared/domain.ts';
import { createRandom, type Random } from '../domain/random.ts';
import { drawMoves } from '../sat/augmentation.ts';
import type { Feeder } from './feeder.ts';

/** A part of an epoch's sequence. */
export interface BatchBounds {
  /** Its place among the batches of a whole epoch. */
  number: number;
  start: number;
  end: number;
}

export interface PixelBatch extends BatchBounds {
  indices: Int32Array;
  /** Scaled and moved, `[indices, resolution, resolution, 3]`; good until the next batch is asked for. */
  pixels: Float32Array;
  /** What else of the batch is drawn at random is drawn from here. */
  random: Random;
}

/** Equal parts of about `size`, so that no batch is a handful whose statistics would mislead the normalisation. */
export function batchBounds(samples: number, size: number): BatchBounds[] {
  const count = Math.max(1, Math.round(samples / size));
  return Array.from({ length: count }, (_, number) => ({
    number,
    start: Math.floor((number * samples) / count),
    end: Math.floor(((number + 1) * samples) / count),
  }));
}

/** Milliseconds that a step has waited for its pixels; for benchmarks. */
export const waits = channel('winnow.trainer.wait');

/** The batches of an epoch, each read while the one before is trained on. */
export async function* readBatches(
  feeder: Feeder,
  sequence: Int32Array,
  bounds: readonly BatchBounds[],
  epoch: number,
  { seed, augmentation, resolution }: Pick<TrainingSettings, 'seed' | 'augmentation' | 'resolution'>,
): AsyncGenerator<PixelBatch> {
  const read = (index: number): Promise<PixelBatch> | null => {
    const part = bounds[index];
    if (part === undefined) return null;
    const indices = sequence.slice(part.start, part.end);
    const random = createRandom(batchSeed(seed, epoch, part.start));
    const moves = drawMoves(augmentation, resolution, indices.length, random);
    const batch = feeder.read(indices, moves).then((pixels) => ({ ...part, indices, pixels, random }));
    // It is awaited when its turn comes, which after a stop is never.
    batch.catch(() => undefined);
    return batch;
  };
  let next = read(0);
  for (let index = 0; next !== null; index++) {
    const asked = performance.now();
    const batch = await next;
    if (waits.hasSubscribers) waits.publish(performance.now() - asked);
    next = read(index + 1);
    yield batch;
    feeder.giveBack(batch.pixels);
  }
}

/** A stream for each batch, so that what is read ahead has drawn nothing that a checkpoint would have to take back. */
function batchSeed(seed: number, epoch: number, start: number): number {
  return Math.imul(seed + 2, 0x9e3779b1) ^ Math.imul(epoch + 1, 0x85ebca6b) ^ Math.imul(start + 1, 0xc2b2ae35);
}
