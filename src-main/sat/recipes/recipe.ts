import type * as tf from '@tensorflow/tfjs-core';
import type { AttackSettings, RecipeSummary, TrainingSettings } from '../../../shared/domain.ts';
import type { Random } from '../../domain/random.ts';
import type { Network, NetworkSettings } from '../models/network.ts';

/*
 * A recipe is a variant of self-adaptive training: its formulas are in sat/losses.ts, its name and its
 * place in the loop are here. The loop (trainer/train.ts) is the same for all.
 */

export interface Recipe extends RecipeSummary {
  /** What the network is given: pixels standardised over the data set, or as they are, from 0 to 1. */
  inputs: 'standardised' | 'unit';
  /** Whether labels are learned; without them the run says nothing about labels. */
  usesLabels: boolean;
  /** Whether t moves from epoch E_s on; where it never does, doubts are read from the predictions. */
  movesTargets: boolean;
  /** What it trains against unless a preset says otherwise; absent where no picture is attacked. */
  attack?: AttackSettings;
  create(context: RecipeContext): Learner;
}

export interface RecipeContext {
  settings: TrainingSettings;
  /** Makes the network of the settings with so many logits. */
  createNetwork(settings: Pick<NetworkSettings, 'outputs' | 'seed'>): Network;
}

/** A recipe at work on one network. */
export interface Learner {
  network: Network;
  /** What the optimizer changes: the network's parameters and those of the recipe's own heads, by name. */
  parameters: ReadonlyMap<string, tf.Variable>;
  /** Every tensor that outlives a step, the optimizer's apart, by name: with the streams, all that a run which goes on later needs. */
  variables: ReadonlyMap<string, tf.Variable>;
  /** What the steps draw from, by name. */
  streams: ReadonlyMap<string, Random>;
  /** T, numbers in a sample's row of targets. */
  targetSize: number;
  /** Whether the loss itself draws numbers at random, as a network with dropout does. */
  drawsInLoss: boolean;
  /** Where the last logit is no class but the abstention. */
  hasAbstention: boolean;
  /** t at the start, `[samples, T]`. */
  initialTargets(labels: Int32Array): Float32Array;
  /** What a step on these pictures needs to have drawn at random, e.g. where an attack starts. */
  draw?(images: tf.Tensor4D): tf.Tensor4D;
  /** What the loss treats as constant and must be had before the gradient is taken, e.g. adversarial pictures. */
  prepare?(batch: Batch): tf.Tensor4D;
  loss(batch: Batch): StepOutput;
  /** After the optimizer's step. */
  afterStep?(): void;
  dispose(): void;
}

export interface Batch {
  /** Augmented, `[m, side, side, 3]`. */
  images: tf.Tensor4D;
  /** One-hot given labels, `[m, K]`. */
  labels: tf.Tensor2D;
  /** t of the batch's samples, `[m, T]`. */
  targets: tf.Tensor2D;
  /** From 0. A loss may ask of it whether E_s is reached and nothing else: the steps before are one program, and those from then on another. */
  epoch: number;
  /** What `draw` drew. */
  drawn: tf.Tensor4D | null;
  /** What `prepare` made. */
  prepared: tf.Tensor4D | null;
}

export interface StepOutput {
  /** Scalar L, differentiable. */
  loss: tf.Scalar;
  /** t after this batch, `[m, T]`. */
  targets: tf.Tensor2D;
  /** Softmax over all logits, `[m, outputs]`; null where there are no labels to predict. */
  probabilities: tf.Tensor2D | null;
  /** The collapse monitor, a scalar; null for recipes that cannot collapse. */
  spread: tf.Scalar | null;
}

/** Those of the streams that there are. */
export function streamsOf(streams: Record<string, Random | undefined>): ReadonlyMap<string, Random> {
  return new Map(Object.entries(streams).filter((entry): entry is [string, Random] => entry[1] !== undefined));
}
