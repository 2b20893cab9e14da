/*
 * Training steps of one network on one engine, for `engines.ts`. Prints one line of JSON.
 * usage: node test/bench/training-step.ts ENGINE NETWORK WIDTH RESOLUTION BATCH STEPS
 */
import * as tf from '@tensorflow/tfjs-core';
import path from 'node:path';
import type { EngineName, NetworkName } from '../../shared/domain.ts';
import { loadEngine } from '../../src-main/engine/engines.ts';
import { dataFolder } from '../../src-main/hosts/paths.ts';
import { networks } from '../../src-main/sat/models/networks.ts';
import { createMeasuredStep } from '../../src-main/trainer/measured-step.ts';

const [engineName = 'tensorflow', networkName = 'compact', ...numbers] = process.argv.slice(2);
const [width = 24, resolution = 32, batch = 128, steps = 10] = numbers.map(Number);

const engine = await loadEngine(engineName as EngineName, path.join(dataFolder(), 'engines'));
const network = networks[networkName as NetworkName].create({ width, resolution, outputs: 10, seed: 1 });
const training = createMeasuredStep(network, 10, engine);
const images = tf.randomNormal<tf.Rank.R4>([batch, resolution, resolution, 3], 0, 1, 'float32', 1);
const imagesPerSecond: number[] = [];
// The first two steps allocate and choose kernels.
for (let step = -2; step < steps; step++) {
  const started = performance.now();
  const loss = training.take(images);
  await loss.data();
  loss.dispose();
  if (step >= 0) imagesPerSecond.push(batch / ((performance.now() - started) / 1000));
}
const peakBytes = 1024 * process.resourceUsage().maxRSS;
console.log(JSON.stringify({ device: `${engine.version}, ${engine.device}`, imagesPerSecond, peakBytes }));
process.exit(0);
