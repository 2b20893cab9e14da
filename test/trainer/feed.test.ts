import { mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../src-main/domain/random.ts';
import { drawMoves, type Moves } from '../../src-main/sat/augmentation.ts';
import { batchBounds, readBatches } from '../../src-main/trainer/batches.ts';
import { openPixelFeed, unitScale, type PixelFeed } from '../../src-main/trainer/feed.ts';
import { startFeeder } from '../../src-main/trainer/feeder.ts';
import { resolution, writeNoise } from './trainer-run.ts';

const samples = 12;
let folder = '';
let pixels = { path: '', samples, resolution };

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'winnow-feed-'));
  pixels = { ...pixels, path: path.join(folder, 'noise.pixels') };
  await writeNoise(pixels.path, samples);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a feed', () => {
  it('moves a picture by whole pixels: down, right, mirrored, reflected at the border', () => {
    const feed = openPixelFeed(pixels, unitScale);
    const plain = readOne(feed, null);
    const moved = readOne(feed, { offsets: Int8Array.of(2, -1, 1), border: 'reflect' });
    const reflected = (i: number): number => (i < 0 ? -i : i >= resolution ? 2 * (resolution - 1) - i : i);
    for (let y = 0; y < resolution; y++)
      for (let x = 0; x < resolution; x++) {
        const from = pixel(reflected(y + 2), reflected(resolution - 1 - x - 1));
        expect(moved.slice(pixel(y, x), pixel(y, x) + 3)).toEqual(plain.slice(from, from + 3));
      }
    feed.close();
  });

  it('shows the black of its own scale beyond the border, where black is asked for', () => {
    const feed = openPixelFeed(pixels, 'standardised');
    const moved = readOne(feed, { offsets: Int8Array.of(0, 3, 0), border: 'black' });
    const black = feed.scale.mean.map((mean, channel) => Math.fround(-mean / feed.scale.deviation[channel]!));
    expect([...moved.slice(pixel(5, resolution - 3), pixel(5, resolution - 3) + 3)]).toEqual(black);
    expect(moved.slice(pixel(5, 0), pixel(5, 1))).toEqual(readOne(feed, null).slice(pixel(5, 3), pixel(5, 4)));
    feed.close();
  });

  it('reads the same whether the file is kept in memory or not', () => {
    const [kept, read] = [true, false].map((keep) => openPixelFeed(pixels, 'standardised', { keep }));
    expect(readOne(kept!, null)).toEqual(readOne(read!, null));
    kept!.close();
    read!.close();
  });
});

describe('a feeder', () => {
  it('reads the batches of an epoch ahead, and repeats itself from any of them on', async () => {
    const feed = openPixelFeed(pixels, 'standardised');
    const feeder = startFeeder({ pixels, scale: feed.scale }, 4);
    const settings = { seed: 7, augmentation: 'shift-flip', resolution } as const;
    const sequence = Int32Array.from({ length: samples }, (_, i) => (i * 5) % samples);
    const bounds = batchBounds(samples, 4);
    const seen: Float32Array[] = [];
    const rest: number[] = [];
    for await (const batch of readBatches(feeder, sequence, bounds, 2, settings)) {
      const expected = new Float32Array(batch.indices.length * feed.size);
      expect(batch.indices).toEqual(sequence.slice(batch.start, batch.end));
      const random = createRandom(0);
      random.restore(batch.random.state());
      rest.push(random.next());
      seen.push(batch.pixels.slice());
      feed.read(batch.indices, expected);
      // Moved, so another picture; but of the same numbers.
      expect(batch.pixels).not.toEqual(expected);
    }
    expect(seen).toHaveLength(3);
    const again: Float32Array[] = [];
    for await (const batch of readBatches(feeder, sequence, bounds.slice(1), 2, settings))
      again.push(batch.pixels.slice());
    expect(again).toEqual(seen.slice(1));
    expect(new Set(rest).size).toBe(3);
    await feeder.close();
    feed.close();
  });

  it('gives the pixels that the feed itself gives', async () => {
    const feed = openPixelFeed(pixels, 'standardised');
    const feeder = startFeeder({ pixels, scale: feed.scale }, 5);
    const indices = Int32Array.of(3, 11, 0);
    const moves = drawMoves('crop-flip', resolution, indices.length, createRandom(3));
    const expected = new Float32Array(indices.length * feed.size);
    feed.read(indices, expected, moves);
    for (let time = 0; time < 3; time++) {
      const found = await feeder.read(indices, moves);
      expect(found).toEqual(expected);
      feeder.giveBack(found);
    }
    await feeder.close();
    feed.close();
  });

  it('says what is wrong with the file, at the batch that needs it', async () => {
    const short = { ...pixels, path: path.join(folder, 'short.pixels') };
    await writeNoise(short.path, samples);
    const feeder = startFeeder({ pixels: short, scale: unitScale }, 1);
    feeder.giveBack(await feeder.read(Int32Array.of(0), null));
    await feeder.close();
    await truncate(short.path, 1000);
    const another = startFeeder({ pixels: short, scale: unitScale }, 1);
    await expect(another.read(Int32Array.of(4), null)).rejects.toThrow(/short\.pixels is shorter than it should be/);
    await expect(another.read(Int32Array.of(0), null)).rejects.toThrow(/shorter/);
    await another.close();
  });
});

function readOne(feed: PixelFeed, moves: Moves | null): Float32Array {
  const into = new Float32Array(feed.size);
  feed.read(Int32Array.of(4), into, moves);
  return into;
}

/** Where a pixel begins. */
function pixel(y: number, x: number): number {
  return (y * resolution + x) * 3;
}
