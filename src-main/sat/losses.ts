import * as tf from '@tensorflow/tfjs-core';
import { stopGradient } from './operations.ts';

/*
 * The supervised losses of self-adaptive training (Huang, Zhang, Zhang, NeurIPS 2020), each as short as
 * its formula. m is the batch, K the number of classes; t are soft targets, p probabilities, w weights.
 */

/** What a loss gives for one mini-batch. */
export interface LossOutput {
  /** Scalar L. */
  loss: tf.Scalar;
  /** Soft targets t after this batch, `[m, K]`. */
  targets: tf.Tensor2D;
  /** p = softmax(logits), `[m, K]`; no gradient flows through it. */
  probabilities: tf.Tensor2D;
}

export interface SatSettings {
  /** α, in (0, 1). */
  targetMomentum: number;
  /** E_s, counted from 0. */
  startEpoch: number;
}

/**
 * SAT's cross-entropy: plain before E_s; from then on targets move to the predictions first,
 * t ← α t + (1−α) p, and the updated ones and their weights enter the loss.
 * @param logits `[m, K]`
 * @param targets t of the batch's samples, `[m, K]`
 */
export function satCrossEntropy(
  logits: tf.Tensor2D,
  targets: tf.Tensor2D,
  epoch: number,
  { targetMomentum, startEpoch }: SatSettings,
): LossOutput {
  const probabilities = stopGradient(tf.softmax(logits));
  if (epoch < startEpoch) return { loss: crossEntropy(logits, targets), targets, probabilities };
  const updated = updateTargets(targets, probabilities, targetMomentum);
  return { loss: weightedCrossEntropy(logits, updated, confidenceWeights(updated)), targets: updated, probabilities };
}

/** t ← α t + (1−α) p. All `[m, K]`; stays on the simplex when t and p are. */
export function updateTargets(targets: tf.Tensor2D, probabilities: tf.Tensor2D, momentum: number): tf.Tensor2D {
  return tf.add(tf.mul(targets, momentum), tf.mul(probabilities, 1 - momentum));
}

/** w_i = max_j t_ij, scaled so that the batch's mean is 1: w_i ← w_i · m / Σ w. `[m]` */
export function confidenceWeights(targets: tf.Tensor2D): tf.Tensor1D {
  const largest = tf.max<tf.Tensor1D>(targets, 1);
  return tf.div(largest, tf.mean(largest));
}

/** (1/m) Σ_i −Σ_j t_ij log p_ij */
export function crossEntropy(logits: tf.Tensor2D, targets: tf.Tensor2D): tf.Scalar {
  return tf.neg(tf.mean(tf.sum(tf.mul(targets, tf.logSoftmax(logits)), 1)));
}

/** (1/m) Σ_i w_i · (−Σ_j t_ij log p_ij) */
export function weightedCrossEntropy(logits: tf.Tensor2D, targets: tf.Tensor2D, weights: tf.Tensor1D): tf.Scalar {
  return tf.neg(tf.mean(tf.mul(weights, tf.sum(tf.mul(targets, tf.logSoftmax(logits)), 1))));
}
