import * as tf from '@tensorflow/tfjs-core';
import type { LoadedEngine } from '../engine/engines.ts';
import { compactGflop, createCompactNetwork } from '../sat/models/compact.ts';
import { createMeasuredStep } from './measured-step.ts';

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
  const training = createMeasuredStep(network, outputs, engine);
  const pixels = resolution * resolution * 3;
  const drawn = tf.randomNormal([batches.usual * pixels], 0, 1, 'float32', 1);
  const pictures = await drawn.data<'float32'>();
  drawn.dispose();
  const step = async (batch: number): Promise<number> => {
    const started = performance.now();
    const images = tf.tensor4d(pictures.subarray(0, batch * pixels), [batch, resolution, resolution, 3]);
    const loss = training.take(images);
    await loss.data();
    tf.dispose([images, loss]);
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
  training.dispose();
  // Other programs only ever make a step slower, so a low quantile tells more of the machine than the mean.
  const typical = times.sort((a, b) => a - b)[times.length >> 2]!;
  return (3 * batch * compactGflop(width, resolution)) / (typical / 1000);
}
