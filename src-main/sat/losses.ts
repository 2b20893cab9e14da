import * as tf from '@tensorflow/tfjs-core';
import { stopGradient } from './operations.ts';

/*
 * The losses of self-adaptive training (Huang, Zhang, Zhang, NeurIPS 2020 and TPAMI 2022), each as short as its formula.
 * m is the batch, K the number of classes; t are soft targets, p probabilities, w weights, y the given labels.
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

export interface SymmetricWeights {
  /** a, of the cross-entropy −Σ t log p. */
  crossEntropy: number;
  /** b, of the reverse cross-entropy −Σ p log t. */
  reverse: number;
}

/**
 * SAT with the symmetric cross-entropy: L_i = −a Σ t log p − b Σ p log t, with the same targets and weights as `satCrossEntropy`.
 * log t is clamped: where the softmax underflows, the authors' −∞ would make the loss infinite.
 * Shapes as in `satCrossEntropy`.
 */
export function satSymmetricCrossEntropy(
  logits: tf.Tensor2D,
  targets: tf.Tensor2D,
  epoch: number,
  { targetMomentum, startEpoch }: SatSettings,
  { crossEntropy: a, reverse: b }: SymmetricWeights = { crossEntropy: 1, reverse: 0.3 },
): LossOutput {
  const probabilities = stopGradient(tf.softmax(logits));
  if (epoch < startEpoch) return { loss: crossEntropy(logits, targets), targets, probabilities };
  const updated = updateTargets(targets, probabilities, targetMomentum);
  const logTargets = tf.log(tf.maximum(updated, smallestTarget));
  const forward = tf.sum(tf.mul(updated, tf.logSoftmax(logits)), 1);
  const reverse = tf.sum(tf.mul(tf.softmax(logits), logTargets), 1);
  const perSample = tf.add(tf.mul(forward, a), tf.mul(reverse, b));
  const loss = tf.neg(tf.mean<tf.Scalar>(tf.mul(confidenceWeights(updated), perSample)));
  return { loss, targets: updated, probabilities };
}

/** Far below any target that a softmax in single precision gives, and far above where its logarithm ends. */
const smallestTarget = 1e-30;

/**
 * Selective classification: the last of K+1 logits is the abstention. Before E_s plain cross-entropy over the K classes; from
 * then on t ← α t + (1−α) softmax(first K logits), and with t_y, the target at the given label,
 * L = −(1/m) Σ [ t_y log p_y + (1−t_y) log p_abstain ], p over all K+1.
 * @param logits `[m, K+1]`
 * @param targets `[m, K]`
 * @param labels one-hot y, `[m, K]`
 * @returns probabilities `[m, K+1]`
 */
export function satSelective(
  logits: tf.Tensor2D,
  targets: tf.Tensor2D,
  labels: tf.Tensor2D,
  epoch: number,
  { targetMomentum, startEpoch }: SatSettings,
): LossOutput {
  const [batch, classes] = targets.shape;
  const classLogits = tf.slice(logits, [0, 0], [batch, classes]);
  const probabilities = stopGradient(tf.softmax(logits));
  if (epoch < startEpoch) return { loss: crossEntropy(classLogits, labels), targets, probabilities };
  const updated = updateTargets(targets, stopGradient(tf.softmax(classLogits)), targetMomentum);
  const atLabel = tf.mul(updated, labels);
  const abstention = tf.sub(1, tf.sum(atLabel, 1, true));
  return {
    loss: crossEntropy(logits, tf.concat2d([atLabel, abstention] as tf.Tensor2D[], 1)),
    targets: updated,
    probabilities,
  };
}

/**
 * TRADES with SAT: SAT's cross-entropy on the clean logits + β · (1/m) Σ KL( p(x) ‖ p(x_adv) ).
 * @param logits of the clean pictures, `[m, K]`
 * @param adversarialLogits of the attacked ones, `[m, K]`
 */
export function tradesSat(
  logits: tf.Tensor2D,
  adversarialLogits: tf.Tensor2D,
  targets: tf.Tensor2D,
  epoch: number,
  settings: SatSettings,
  beta: number,
): LossOutput {
  const output = satCrossEntropy(logits, targets, epoch, settings);
  return { ...output, loss: tf.add(output.loss, tf.mul(beta, meanDivergence(logits, adversarialLogits))) };
}

/** (1/m) Σ_i KL( p_i ‖ q_i ), p and q the softmax of the logits; both `[m, K]`, the gradient flows through both. */
export function meanDivergence(logits: tf.Tensor2D, otherLogits: tf.Tensor2D): tf.Scalar {
  const difference = tf.sub(tf.logSoftmax(logits), tf.logSoftmax(otherLogits));
  return tf.mean(tf.sum(tf.mul(tf.softmax(logits), difference), 1));
}

/**
 * Self-supervised SAT: the mean of ‖ q/‖q‖ − t/‖t‖ ‖², the gradient flows through q only. [unverified]: the authors' code for this
 * part is not published; see docs/paper.md.
 * @param predictions q(z), `[m, D]`
 * @param targets t, `[m, D]`
 */
export function representationLoss(predictions: tf.Tensor2D, targets: tf.Tensor2D): tf.Scalar {
  const difference = tf.sub(toUnitLength(predictions), stopGradient(toUnitLength(targets)));
  return tf.mean(tf.sum(tf.square(difference), 1));
}

/**
 * t ← α t + (1−α) z, z of unit length; a row that is still zero has not been visited and becomes z. [unverified]
 * @param targets `[m, D]`
 * @param representations z of the averaged network, `[m, D]`
 */
export function updateRepresentations(
  targets: tf.Tensor2D,
  representations: tf.Tensor2D,
  momentum: number,
): tf.Tensor2D {
  const isNew = tf.equal(tf.sum(tf.abs(targets), 1, true), 0);
  const unit = toUnitLength(representations);
  return tf.where(isNew, unit, updateTargets(targets, unit, momentum));
}

/**
 * Collapse monitor: the standard deviation of unit-length representations over the batch, averaged over the D dimensions and
 * multiplied by √D. 1 when they point everywhere alike, 0 when all are the same. A scalar.
 */
export function representationSpread(representations: tf.Tensor2D): tf.Scalar {
  const { variance } = tf.moments(toUnitLength(representations), 0);
  return tf.mul(tf.mean<tf.Scalar>(tf.sqrt(variance)), Math.sqrt(representations.shape[1]));
}

/** Rows scaled to length 1; a zero row stays zero. */
export function toUnitLength(rows: tf.Tensor2D): tf.Tensor2D {
  return tf.div(rows, tf.maximum(tf.sqrt(tf.sum(tf.square(rows), 1, true)), 1e-8));
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
