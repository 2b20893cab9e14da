import type * as tf from '@tensorflow/tfjs-core';
import type { Random } from '../../domain/random.ts';

/**
 * In `training`, normalisations use the statistics of the batch and move their running averages; in `evaluation` they use those
 * averages, so that a picture's output does not depend on the others in its batch.
 */
export type Mode = 'training' | 'evaluation';

/** A network that maps a batch of pictures to features and to logits. */
export interface Network {
  /** What training changes, by name. */
  parameters: ReadonlyMap<string, tf.Variable>;
  /** Running means and variances of the normalisations, by name. */
  statistics: ReadonlyMap<string, tf.Variable>;
  /** What training draws from; absent where a forward pass leaves nothing to chance. */
  random?: Random;
  /** Numbers in a picture's features. */
  featureSize: number;
  /** `[batch, resolution, resolution, 3]` → `[batch, featureSize]` */
  features(images: tf.Tensor4D, mode: Mode): tf.Tensor2D;
  /** `[batch, featureSize]` → `[batch, outputs]` */
  classify(features: tf.Tensor2D): tf.Tensor2D;
}

export interface NetworkSettings {
  /** Channels of the first convolution. */
  width: number;
  /** Side of the input in pixels. */
  resolution: number;
  /** Logits. */
  outputs: number;
  seed: number;
}

/** Logits of a batch, `[batch, outputs]`. */
export function logitsOf(network: Network, images: tf.Tensor4D, mode: Mode): tf.Tensor2D {
  return network.classify(network.features(images, mode));
}
