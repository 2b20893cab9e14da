import * as tf from '@tensorflow/tfjs-core';
import type { LoadedEngine } from '../engine/engines.ts';
import { satCrossEntropy } from '../sat/losses.ts';
import { compactGflop, createCompactNetwork } from '../sat/models/compact.ts';
import { logitsOf } from '../sat/models/network.ts';
import { createOptimizer } from '../sat/optimizer.ts';

const shape = { width: 24, resolution: 32, outputs: 10 };
/** Enough to keep every core busy; a slow engine is measured with the small one, so that it too answers within seconds. */
const batches = { small: 8, usual: 128 };
const slowStepMilliseconds = 150;
const measuredMilliseconds = 1500;

/**
 * Speed of a whole training step (forward, backward, update) of the compact network on the loaded engine.
 * @returns GFLOP/s, counting the backward pass as twice the forward one; the lower quartile of about 1.5 s of steps
 */
export async function measureTrainingGflops(engine: Pick<LoadedEngine, 'compile'>): Promise<number> {
  const { width, resolution, outputs } = shape;
  const network = createCompactNetwork({ width, resolution, outputs, seed: 1 });
  const parameters = new Map([...network.parameters.values()].map((parameter) => [parameter.name, parameter]));
  const optimizer = createOptimizer('sgd-nesterov', parameters, 5e-4);
  const pixels = resolution * resolution * 3;
  const drawn = tf.randomNormal([batches.usual * pixels], 0, 1, 'float32', 1);
  const pictures = await drawn.data<'float32'>();
  drawn.dispose();
  const program = engine.compile((given) => {
    const { images, targets, rates } = given as { images: tf.Tensor4D; targets: tf.Tensor2D; rates: tf.Tensor1D };
    const { value, grads } = tf.variableGrads(
      () =>
        satCrossEntropy(logitsOf(network, images, 'training'), targets, 1, { startEpoch: 0, targetMomentum: 0.9 }).loss,
      [...parameters.values()],
    );
    optimizer.step(grads, rates);
    return { loss: value };
  });
  const step = async (batch: number): Promise<number> => {
    const started = performance.now();
    const { loss } = tf.tidy(() =>
      program.run({
        images: tf.tensor4d(pictures.subarray(0, batch * pixels), [batch, resolution, resolution, 3]),
        targets: tf.fill([batch, outputs], 1 / outputs),
        rates: tf.tensor1d(optimizer.rates(0.01)),
      }),
    );
    await loss!.data();
    loss!.dispose();
    return performance.now() - started;
  };
  // The first step compiles and allocates.
  await step(batches.small);
  // A slow engine is slow in every step; a quick one may be in one, while its libraries are still read from the disk.
  let quickest = Infinity;
  for (let tried = 0; tried < 3 && quickest > slowStepMilliseconds; tried++) {
    quickest = Math.min(quickest, await step(batches.small));
  }
  const batch = quickest > slowStepMilliseconds ? batches.small : batches.usual;
  if (batch !== batches.small) await step(batch);
  const times: number[] = [];
  const started = performance.now();
  while (performance.now() - started < measuredMilliseconds || times.length < 3) times.push(await step(batch));
  program.dispose();
  optimizer.dispose();
  tf.dispose([...parameters.values(), ...network.statistics.values()]);
  // Other programs only ever make a step slower, so a low quantile tells more of the machine than the mean.
  const typical = times.sort((a, b) => a - b)[times.length >> 2]!;
  return (3 * batch * compactGflop(width, resolution)) / (typical / 1000);
}
