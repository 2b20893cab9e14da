import * as tf from '@tensorflow/tfjs-core';
import { createOptimizer } from './optimizer.ts';
import { crossEntropy } from './losses.ts';

export interface FeatureSet {
  /** `[samples, F]` */
  features: Float32Array;
  labels: Int32Array;
}

const steps = 400;
const learningRate = 0.02;
const weightDecay = 1e-4;

/**
 * Linear evaluation, the usual measure of a representation: softmax regression on frozen features, each standardised over the
 * training set; all samples in every step, so nothing is left to chance.
 * @returns share of the test samples that it classifies rightly, 0..1
 */
export async function linearProbeAccuracy(train: FeatureSet, test: FeatureSet, classes: number): Promise<number> {
  const weights = tf.variable(tf.zeros<tf.Rank.R2>([train.features.length / train.labels.length, classes]));
  const bias = tf.variable(tf.zeros<tf.Rank.R1>([classes]));
  const parameters = new Map([weights, bias].map((variable) => [variable.name, variable as tf.Variable]));
  const optimizer = createOptimizer('adam', parameters, 0);
  const chosen = tf.tidy(() => {
    const size = weights.shape[0];
    const trainFeatures = tf.tensor2d(train.features, [train.labels.length, size]);
    const { mean, variance } = tf.moments(trainFeatures, 0);
    const standardise = (features: tf.Tensor2D): tf.Tensor2D =>
      tf.div(tf.sub(features, mean), tf.sqrt(tf.add(variance, 1e-6)));
    const inputs = standardise(trainFeatures);
    const targets = tf.oneHot(tf.tensor1d(train.labels, 'int32'), classes).toFloat() as tf.Tensor2D;
    const logits = (features: tf.Tensor2D): tf.Tensor2D => tf.add(tf.matMul(features, weights as tf.Tensor2D), bias);
    for (let step = 0; step < steps; step++) {
      tf.tidy(() => {
        const { grads } = tf.variableGrads(() => {
          const penalty = tf.sum(tf.square(weights as tf.Tensor2D));
          return tf.add(crossEntropy(logits(inputs), targets), tf.mul(weightDecay, penalty));
        }, [...parameters.values()]);
        optimizer.step(grads, tf.tensor1d(optimizer.rates(learningRate)));
      });
    }
    return tf.argMax(logits(standardise(tf.tensor2d(test.features, [test.labels.length, size]))), 1);
  });
  const right = (await chosen.data<'int32'>()).reduce((sum, label, i) => sum + Number(label === test.labels[i]), 0);
  optimizer.dispose();
  tf.dispose([weights, bias, chosen]);
  return right / test.labels.length;
}
