import * as tf from '@tensorflow/tfjs-core';
import type { Random } from '../../domain/random.ts';
import type { Network } from '../models/network.ts';
import { streamsOf, type Batch, type Learner, type RecipeContext, type StepOutput } from './recipe.ts';

export interface ClassifierOptions {
  /** Adds a logit for abstention behind those of the classes. */
  hasAbstention?: boolean;
  draw?: (images: tf.Tensor4D) => tf.Tensor4D;
  prepare?: (network: Network, batch: Batch) => tf.Tensor4D;
  /** What `draw` draws from. */
  random?: Random;
  loss: (network: Network, batch: Batch) => Omit<StepOutput, 'spread'>;
}

/** What all recipes share that learn labels: one network, and one row of K targets per sample that starts as the one-hot label. */
export function createClassifier({ settings, createNetwork }: RecipeContext, options: ClassifierOptions): Learner {
  const { classes, seed } = settings;
  const { hasAbstention = false, draw, prepare, random, loss } = options;
  const network = createNetwork({ outputs: classes + (hasAbstention ? 1 : 0), seed });
  return {
    network,
    parameters: network.parameters,
    variables: new Map([...network.parameters, ...network.statistics]),
    streams: streamsOf({ recipe: random, network: network.random }),
    drawsInLoss: network.random !== undefined,
    targetSize: classes,
    hasAbstention,
    initialTargets: (labels) => oneHot(labels, classes),
    ...(draw === undefined ? {} : { draw }),
    ...(prepare === undefined ? {} : { prepare: (batch: Batch) => prepare(network, batch) }),
    loss: (batch) => ({ ...loss(network, batch), spread: null }),
    dispose: () => tf.dispose([...network.parameters.values(), ...network.statistics.values()]),
  };
}

/** `[samples, classes]` */
function oneHot(labels: Int32Array, classes: number): Float32Array {
  const rows = new Float32Array(labels.length * classes);
  labels.forEach((label, sample) => (rows[sample * classes + label] = 1));
  return rows;
}
