import * as tf from '@tensorflow/tfjs-core';
import type { AttackSettings } from '../../shared/domain.ts';
import type { Random } from '../domain/random.ts';
import { crossEntropy, meanDivergence } from './losses.ts';

/** Pictures `[m, …]`, every value in [0, 1], to logits `[m, K]`; in evaluation mode, so that an attack changes no statistics. */
export type Classify<T extends tf.Tensor> = (images: T) => tf.Tensor2D;

/**
 * Projected gradient ascent in the L∞ ball (Madry et al. 2018): `steps` times along the sign of the gradient, then
 * back to ‖x_adv − x‖∞ ≤ ε and into [0, 1].
 * @param start where it begins, the shape of `images`
 * @param objective what is made as large as possible, a scalar
 * @returns x_adv, the shape of `images`; no gradient flows through it
 */
export function projectedGradientAscent<T extends tf.Tensor>(
  images: T,
  start: T,
  objective: (adversarial: T) => tf.Scalar,
  { radius, stepSize, steps }: AttackSettings,
): T {
  const gradientOf = tf.grad((x) => objective(x as T));
  let adversarial: T = start.clone();
  for (let step = 0; step < steps; step++) {
    const next = tf.tidy(() => {
      const moved = tf.add<T>(adversarial, tf.mul(tf.sign(gradientOf(adversarial)), stepSize));
      const projected = tf.minimum<T>(tf.maximum<T>(moved, tf.sub(images, radius)), tf.add(images, radius));
      return tf.clipByValue(projected, 0, 1);
    });
    adversarial.dispose();
    adversarial = next;
  }
  return adversarial;
}

/** TRADES' attack: from x + 0.001·N(0,1), away from the clean prediction: it maximises KL( p(x) ‖ p(x_adv) ). */
export function divergenceAttack<T extends tf.Tensor>(
  classify: Classify<T>,
  images: T,
  noise: T,
  settings: AttackSettings,
): T {
  return tf.tidy(() => {
    const clean = classify(images);
    const start = tf.add<T>(images, tf.mul(noise, startDeviation));
    return projectedGradientAscent(images, start, (x) => meanDivergence(clean, classify(x)), settings);
  });
}

/** PGD as robustness is measured with: from a random point of the ball, away from the true label y (one-hot, `[m, K]`). */
export function labelAttack<T extends tf.Tensor>(
  classify: Classify<T>,
  images: T,
  labels: tf.Tensor2D,
  settings: AttackSettings,
  random: Random,
): T {
  return tf.tidy(() => {
    const { radius } = settings;
    const offsets = Float32Array.from({ length: images.size }, () => radius * (2 * random.next() - 1));
    const start = tf.clipByValue(tf.add<T>(images, tf.tensor(offsets, images.shape)), 0, 1);
    return projectedGradientAscent(images, start, (x) => crossEntropy(classify(x), labels), settings);
  });
}

const startDeviation = 0.001;
