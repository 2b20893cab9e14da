/*
 * One training step of the compact network on one engine, for `training-speed.ts`. Prints the images per second of each step.
 * usage: node test/bench/training-step.ts ENGINE WIDTH RESOLUTION BATCH STEPS
 */
import * as tf from '@tensorflow/tfjs-core';
import path from 'node:path';
import type { EngineName } from '../../shared/domain.ts';
import { loadEngine } from '../../src-main/engine/engines.ts';
import { dataFolder } from '../../src-main/hosts/paths.ts';
import { satCrossEntropy } from '../../src-main/sat/losses.ts';
import { createCompactNetwork } from '../../src-main/sat/models/compact.ts';
import { logitsOf } from '../../src-main/sat/models/network.ts';
import { createOptimizer } from '../../src-main/sat/optimizer.ts';

const [engine = 'tensorflow', ...numbers] = process.argv.slice(2);
const [width = 24, resolution = 32, batch = 128, steps = 10] = numbers.map(Number);

await loadEngine(engine as EngineName, path.join(dataFolder(), 'engines'));
const network = createCompactNetwork({ width, resolution, outputs: 10, seed: 1 });
const parameters = new Map([...network.parameters.values()].map((parameter) => [parameter.name, parameter]));
const optimizer = createOptimizer('sgd-nesterov', parameters, 5e-4);
const images = tf.randomNormal<tf.Rank.R4>([batch, resolution, resolution, 3], 0, 1, 'float32', 1);
const targets = tf.fill<tf.Rank.R2>([batch, 10], 0.1);
for (let step = 0; step < steps + 2; step++) {
  const started = performance.now();
  tf.tidy(() => {
    const { value, grads } = tf.variableGrads(
      () =>
        satCrossEntropy(logitsOf(network, images, 'training'), targets, 1, { startEpoch: 0, targetMomentum: 0.9 }).loss,
      [...parameters.values()],
    );
    optimizer.step(grads, 0.01);
    value.dataSync();
  });
  // The first two steps allocate and choose kernels.
  if (step >= 2) console.log(batch / ((performance.now() - started) / 1000));
}
