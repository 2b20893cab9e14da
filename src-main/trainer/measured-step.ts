import * as tf from '@tensorflow/tfjs-core';
import type { LoadedEngine } from '../engine/engines.ts';
import { satCrossEntropy } from '../sat/losses.ts';
import { logitsOf, type Network } from '../sat/models/network.ts';
import { createOptimizer } from '../sat/optimizer.ts';

/** The usual training step (forward, backward, update) without a run around it, for measurements. */
export interface MeasuredStep {
  /** @returns the loss, the caller's */
  take(images: tf.Tensor4D): tf.Scalar;
  dispose(): void;
}

/** The step of `network`, which it takes along when it is disposed of. */
export function createMeasuredStep(
  network: Network,
  outputs: number,
  engine: Pick<LoadedEngine, 'compile'>,
): MeasuredStep {
  const parameters = new Map([...network.parameters.values()].map((parameter) => [parameter.name, parameter]));
  const optimizer = createOptimizer('sgd-nesterov', parameters, 5e-4);
  const program = engine.compile((given) => {
    const { images, targets, rates } = given as { images: tf.Tensor4D; targets: tf.Tensor2D; rates: tf.Tensor1D };
    const { value, grads } = tf.variableGrads(
      () => satCrossEntropy(logitsOf(network, images, 'training'), targets, 1, settings).loss,
      [...parameters.values()],
    );
    optimizer.step(grads, rates);
    return { loss: value };
  });
  return {
    take: (images) =>
      tf.tidy(() => {
        const targets = tf.fill([images.shape[0], outputs], 1 / outputs);
        const { loss } = program.run({ images, targets, rates: tf.tensor1d(optimizer.rates(0.01)) });
        return loss as tf.Scalar;
      }),
    dispose: () => {
      program.dispose();
      optimizer.dispose();
      tf.dispose([...parameters.values(), ...network.statistics.values()]);
    },
  };
}

const settings = { startEpoch: 0, targetMomentum: 0.9 };
