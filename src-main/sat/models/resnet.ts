import { createRandom } from '../../domain/random.ts';
import { relu } from '../operations.ts';
import { basicBlockProducts, createBasicBlock, stackBlocks } from './basic-block.ts';
import {
  convolve,
  convolveCentred,
  createParameters,
  dense,
  globalAveragePool,
  normalise,
  publishedWeights,
} from './layers.ts';
import type { Network, NetworkSettings } from './network.ts';

/** Blocks per stage (He et al. 2016, table 1). */
export const resnet18Blocks = [2, 2, 2, 2];
export const resnet34Blocks = [3, 4, 6, 3];

/**
 * ResNet-18 and ResNet-34 (He et al. 2016) with the SAT authors' stem for 32 pixels: a 3×3 convolution in place of the
 * strided 7×7 one and the pooling. Four stages of `width` · 1, 2, 4, 8 channels; all but the first halve the side. The average
 * pool is over whatever side is left, so any resolution will do.
 */
export function createResnet(blocks: readonly number[], settings: NetworkSettings): Network {
  const { width, resolution, outputs, seed } = settings;
  const store = createParameters(createRandom(seed), publishedWeights);
  const stem = store.convolution('stem', 3, 3, width);
  const stemNorm = store.norm('stem/norm', width);
  const body = resnetShape(blocks, width, resolution).map((block) =>
    createBasicBlock(store, block.name, block, convolveCentred),
  );
  const featureSize = 8 * width;
  const head = store.dense('head', featureSize, outputs);
  return {
    parameters: store.parameters,
    statistics: store.statistics,
    featureSize,
    features: (images, mode) => {
      let x = relu(normalise(convolve(images, stem), stemNorm, mode));
      for (const block of body) x = block(x, mode);
      return globalAveragePool(x);
    },
    classify: (features) => dense(features, head),
  };
}

/** Cost of one picture's forward pass in GFLOP, a multiplication and an addition counted as two. */
export function resnetGflop(blocks: readonly number[], width: number, resolution: number): number {
  let products = resolution ** 2 * 9 * 3 * width;
  for (const block of resnetShape(blocks, width, resolution)) products += basicBlockProducts(block);
  return (2 * products) / 1e9;
}

function resnetShape(blocks: readonly number[], width: number, resolution: number): ReturnType<typeof stackBlocks> {
  const stages = blocks.map((count, i) => ({ blocks: count, outputs: width * 2 ** i, stride: i === 0 ? 1 : 2 }));
  return stackBlocks({ outputs: width, side: resolution }, stages);
}
