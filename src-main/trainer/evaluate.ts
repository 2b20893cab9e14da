import * as tf from '@tensorflow/tfjs-core';
import { setImmediate } from 'node:timers/promises';
import type { AttackSettings } from '../../shared/domain.ts';
import { createRandom } from '../domain/random.ts';
import { labelAttack } from '../sat/attack.ts';
import { toUnitLength } from '../sat/losses.ts';
import { logitsOf, type Network } from '../sat/models/network.ts';
import type { PixelFeed } from './feed.ts';

/*
 * What a network says of pictures in evaluation mode, without augmentation. Between batches each of these yields to the event loop.
 */

const batchSize = 256;

/** Softmax over all logits, `[samples, outputs]`, in the order of the pixel file. */
export async function predict(network: Network, feed: PixelFeed): Promise<Float32Array> {
  return await concatenate(feed, (images) => tf.softmax(logitsOf(network, images, 'evaluation')));
}

/** Features, `[samples, featureSize]`. */
export async function readFeatures(network: Network, feed: PixelFeed): Promise<Float32Array> {
  return await concatenate(feed, (images) => network.features(images, 'evaluation'));
}

/** Features of unit length, batch by batch: `give` receives the first sample of the batch and `[batch, featureSize]`. */
export async function embed(
  network: Network,
  feed: PixelFeed,
  give: (start: number, values: Float32Array) => void,
): Promise<void> {
  for (const { start, images } of batches(feed, batchSize)) {
    const { values } = await readTidily(() => toUnitLength(network.features(images(), 'evaluation')));
    give(start, (values as Float32Array).slice());
    await setImmediate();
  }
}

/** Share of the pictures that are still classified as `labels` after a PGD attack on each, 0..1. */
export async function accuracyUnderAttack(
  network: Network,
  feed: PixelFeed,
  labels: Int32Array,
  { classes, attack }: { classes: number; attack: AttackSettings },
): Promise<number> {
  // The same start in every epoch, so that the curve over the epochs shows the network alone.
  const random = createRandom(1);
  const classify = (images: tf.Tensor4D): tf.Tensor2D => {
    const logits = logitsOf(network, images, 'evaluation');
    return tf.slice(logits, [0, 0], [logits.shape[0], classes]);
  };
  let right = 0;
  for (const { start, end, images } of batches(feed, batchSize)) {
    const expected = labels.subarray(start, end);
    const { values: chosen } = await readTidily(() => {
      const oneHot = tf.oneHot(tf.tensor1d(expected, 'int32'), classes).toFloat() as tf.Tensor2D;
      return tf.argMax(classify(labelAttack(classify, images(), oneHot, attack, random)), 1);
    });
    right += expected.reduce((sum, label, i) => sum + Number(label === chosen[i]), 0);
    await setImmediate();
  }
  return right / labels.length;
}

/** Settles the running averages of a network that no step has trained, so that it can be evaluated. */
export function settleStatistics(network: Network, feed: PixelFeed): void {
  for (let pass = 0; pass < settlingPasses; pass++) {
    for (const { images } of [...batches(feed, batchSize)].slice(0, settlingBatches)) {
      tf.tidy(() => void network.features(images(), 'training'));
    }
  }
}

const settlingPasses = 5;
const settlingBatches = 8;

interface FeedBatch {
  start: number;
  end: number;
  /** `[end − start, side, side, 3]`, a new tensor at every call; to be worked on before the next one is asked for. */
  images: () => tf.Tensor4D;
}

function* batches(feed: PixelFeed, size: number): Generator<FeedBatch> {
  // One piece of memory for all: new memory takes longer to touch than to fill.
  const memory = new Float32Array(Math.min(size, feed.samples) * feed.size);
  for (let start = 0; start < feed.samples; start += size) {
    const end = Math.min(feed.samples, start + size);
    const indices = Int32Array.from({ length: end - start }, (_, i) => start + i);
    yield {
      start,
      end,
      images: () => {
        const pixels = memory.subarray(0, indices.length * feed.size);
        feed.read(indices, pixels);
        return tf.tensor4d(pixels, [indices.length, feed.resolution, feed.resolution, 3]);
      },
    };
  }
}

async function concatenate(feed: PixelFeed, rowsOf: (images: tf.Tensor4D) => tf.Tensor2D): Promise<Float32Array> {
  let all = new Float32Array();
  for (const { start, images } of batches(feed, batchSize)) {
    const { values, shape } = await readTidily(() => rowsOf(images()));
    const width = shape[1]!;
    if (start === 0) all = new Float32Array(feed.samples * width);
    all.set(values, start * width);
    await setImmediate();
  }
  return all;
}

/** What a computation gives, as numbers; all of its tensors are let go of. */
async function readTidily(work: () => tf.Tensor): Promise<{ values: tf.TypedArray; shape: number[] }> {
  const output = tf.tidy(work);
  const values = await output.data();
  output.dispose();
  return { values, shape: output.shape };
}
