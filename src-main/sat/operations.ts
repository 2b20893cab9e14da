import * as tf from '@tensorflow/tfjs-core';
import {
  batchNormTrainingGradKernel,
  batchNormTrainingKernel,
  moveAverageKernel,
  reluGradKernel,
  sgdStepKernel,
  type SgdStepAttributes,
} from '../../shared/kernels.ts';

/*
 * Differentiable operations that tfjs has no fused form of. Each runs kernels that `engine/` supplies
 * for the backend in use, so that this folder never names a backend.
 */

const epsilon = 1e-5;

/**
 * Batch normalisation with the statistics of this batch (Ioffe & Szegedy 2015).
 * @param x `[batch, height, width, channels]`
 * @param scale γ `[channels]`
 * @param offset β `[channels]`
 * @param onStatistics is given the batch's mean and unbiased variance, `[channels]` each
 * @returns the shape of `x`
 */
export function batchNormTraining(
  x: tf.Tensor4D,
  scale: tf.Tensor1D,
  offset: tf.Tensor1D,
  onStatistics?: (mean: tf.Tensor1D, variance: tf.Tensor1D) => void,
): tf.Tensor4D {
  const operation = tf.customGrad((x, scale, offset, save) => {
    const inputs = { x, scale, offset } as tf.NamedTensorMap;
    const [y, mean, variance, ...saved] = runKernel(batchNormTrainingKernel, inputs, { epsilon });
    onStatistics?.(mean as tf.Tensor1D, variance as tf.Tensor1D);
    (save as tf.GradSaveFunc)([x as tf.Tensor, scale as tf.Tensor, ...saved]);
    return {
      value: y as tf.Tensor,
      gradFunc: (dy, [x, scale, saved0, saved1, saved2]) =>
        runKernel(batchNormTrainingGradKernel, { dy, x, scale, saved0, saved1, saved2 } as tf.NamedTensorMap, {
          epsilon,
        }),
    };
  });
  return operation(x, scale, offset) as tf.Tensor4D;
}

/**
 * Batch normalisation with given statistics; the gradient goes to `x` alone, which is what attacks and evaluation need.
 * Shapes as in `batchNormTraining`; `mean` and `variance` are `[channels]`.
 */
export function batchNormEvaluation(
  x: tf.Tensor4D,
  scale: tf.Tensor1D,
  offset: tf.Tensor1D,
  mean: tf.Tensor1D,
  variance: tf.Tensor1D,
): tf.Tensor4D {
  const operation = tf.customGrad((x) => ({
    value: tf.batchNorm(x as tf.Tensor4D, mean, variance, offset, scale, epsilon),
    gradFunc: (dy) => tf.mul(dy, tf.mul(scale, tf.rsqrt(tf.add(variance, epsilon)))),
  }));
  return operation(x) as tf.Tensor4D;
}

/** max(x, 0), its gradient taken from the output in one kernel instead of tfjs's step, cast and product. */
export function relu(x: tf.Tensor4D): tf.Tensor4D {
  return reluOperation(x) as tf.Tensor4D;
}

/** The value of `x`, through which no gradient flows. */
export function stopGradient<T extends tf.Tensor>(x: T): T {
  return stopGradientOperation(x) as T;
}

/** average · (1 − share) + latest · share; no gradient flows through it. */
export function movedAverage<T extends tf.Tensor>(average: T, latest: T, share: number): T {
  if (!hasKernel(moveAverageKernel)) return tf.add(tf.mul(average, 1 - share), tf.mul(latest, share));
  return runKernel(moveAverageKernel, { average, latest }, { share })[0] as T;
}

/** A step of SGD as one kernel: [parameter, velocity] after it; null where the engine composes it as well. */
export function fusedSgdStep(
  tensors: { parameter: tf.Tensor; velocity: tf.Tensor; gradient: tf.Tensor; learningRate: tf.Tensor1D },
  attributes: SgdStepAttributes,
): [tf.Tensor, tf.Tensor] | null {
  return hasKernel(sgdStepKernel) ? (runKernel(sgdStepKernel, tensors, attributes) as [tf.Tensor, tf.Tensor]) : null;
}

const reluOperation = tf.customGrad((x, save) => {
  const y = tf.relu(x as tf.Tensor);
  (save as tf.GradSaveFunc)([y]);
  return {
    value: y,
    gradFunc: (dy, [y]) => runKernel(reluGradKernel, { dy, y } as tf.NamedTensorMap)[0] as tf.Tensor,
  };
});

const stopGradientOperation = tf.customGrad((x) => ({
  value: (x as tf.Tensor).clone(),
  gradFunc: (dy) => tf.zerosLike(dy),
}));

function hasKernel(name: string): boolean {
  return (tf.getKernel(name, tf.getBackend()) as tf.KernelConfig | undefined) !== undefined;
}

function runKernel(
  name: string,
  inputs: tf.NamedTensorMap,
  attributes: Record<string, number | boolean> = {},
): tf.Tensor[] {
  const outputs = tf.engine().runKernel<tf.Tensor | tf.Tensor[]>(name, inputs, attributes);
  return Array.isArray(outputs) ? outputs : [outputs];
}
