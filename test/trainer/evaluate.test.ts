import * as tf from '@tensorflow/tfjs-core';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../src-main/domain/random.ts';
import { loadEngine } from '../../src-main/engine/engines.ts';
import { createCompactNetwork } from '../../src-main/sat/models/compact.ts';
import { embed, predict, readFeatures, settleStatistics } from '../../src-main/trainer/evaluate.ts';
import { openPixelFeed, type PixelFeed } from '../../src-main/trainer/feed.ts';

const samples = 600;
const resolution = 32;
let folder = '';
let feed: PixelFeed;

beforeAll(async () => {
  await loadEngine('wasm', null);
  folder = await mkdtemp(path.join(tmpdir(), 'winnow-evaluate-'));
  const file = path.join(folder, 'noise.pixels');
  const random = createRandom(4);
  await writeFile(
    file,
    Uint8Array.from({ length: samples * resolution ** 2 * 3 }, () => random.integer(256)),
  );
  feed = openPixelFeed({ path: file, samples, resolution }, 'standardised');
});
afterAll(async () => {
  feed.close();
  await rm(folder, { recursive: true, force: true });
});

describe('evaluation', () => {
  it('reads every sample once and in order, over several batches, and leaves no tensor behind', async () => {
    const network = createCompactNetwork({ width: 4, resolution, outputs: 3, seed: 1 });
    settleStatistics(network, feed);
    const before = tf.memory().numTensors;
    const features = await readFeatures(network, feed);
    const probabilities = await predict(network, feed);
    const embeddings = new Float32Array(features.length);
    await embed(network, feed, (start, values) => embeddings.set(values, start * network.featureSize));
    expect(tf.memory().numTensors).toBe(before);

    expect(probabilities).toHaveLength(samples * 3);
    for (const sample of [0, 255, 256, 599]) {
      const row = [...features.subarray(sample * network.featureSize, (sample + 1) * network.featureSize)];
      const length = Math.hypot(...row);
      row.forEach((value, i) => expect(embeddings[sample * network.featureSize + i]).toBeCloseTo(value / length, 4));
      // In evaluation mode a picture's output is its own, whoever else is in the batch.
      const pixels = new Float32Array(feed.size);
      feed.read(Int32Array.of(sample), pixels);
      const alone = network.features(tf.tensor4d(pixels, [1, resolution, resolution, 3]), 'evaluation');
      expect(Math.max(...alone.dataSync().map((value, i) => Math.abs(value - row[i]!)))).toBeLessThan(1e-3);
    }
  });
});
