import { createRandom } from '../../domain/random.ts';
import { relu } from '../operations.ts';
import { basicBlockProducts, createBasicBlock, type BlockShape } from './basic-block.ts';
import { convolve, createParameters, dense, globalAveragePool, normalise } from './layers.ts';
import type { Network, NetworkSettings } from './network.ts';

/**
 * Our own small residual network: a strided-as-needed stem, then stages of one basic block each (He et al. 2016)
 * that halve the side and double the channels. Most of its work is at 16 pixels and below, where a
 * convolution has enough channels to keep a processor busy; larger inputs get a stem of larger stride and
 * one more stage, so the cost grows far slower than the number of pixels.
 */
export function createCompactNetwork({ width, resolution, outputs, seed }: NetworkSettings): Network {
  const store = createParameters(createRandom(seed));
  const stages = compactStages(width, resolution);
  const stem = compactStem(resolution);
  const stemFilter = store.convolution('stem', stem.size, 3, width);
  const stemNorm = store.norm('stem/norm', width);
  const blocks = stages.map((stage, index) => createBasicBlock(store, `stage${index + 1}`, stage));
  const featureSize = stages.at(-1)!.outputs;
  const head = store.dense('head', featureSize, outputs);
  return {
    parameters: store.parameters,
    statistics: store.statistics,
    featureSize,
    features: (images, mode) => {
      let x = relu(normalise(convolve(images, stemFilter, stem.stride), stemNorm, mode));
      for (const block of blocks) x = block(x, mode);
      return globalAveragePool(x);
    },
    classify: (features) => dense(features, head),
  };
}

/** The first convolution: 3×3 on small pictures, strided on larger ones. */
export function compactStem(resolution: number): { size: number; stride: number; side: number } {
  const stride = resolution >= 96 ? 4 : resolution >= 64 ? 2 : 1;
  return { size: stride === 1 ? 3 : stride === 2 ? 5 : 7, stride, side: Math.ceil(resolution / stride) };
}

/** Stages until the feature map is 4 pixels wide or less. */
export function compactStages(width: number, resolution: number): BlockShape[] {
  const stages: BlockShape[] = [];
  let { side } = compactStem(resolution);
  let inputs = width;
  for (const factor of [2, 4, 8]) {
    const stride = side > 4 ? 2 : 1;
    side = Math.ceil(side / stride);
    const outputs = width * factor;
    stages.push({ inputs, outputs, stride, side });
    inputs = outputs;
  }
  return stages;
}

/** Cost of one picture's forward pass in GFLOP, a multiplication and an addition counted as two. */
export function compactGflop(width: number, resolution: number): number {
  const stem = compactStem(resolution);
  let products = stem.side ** 2 * stem.size ** 2 * 3 * width;
  for (const stage of compactStages(width, resolution)) products += basicBlockProducts(stage);
  return (2 * products) / 1e9;
}
