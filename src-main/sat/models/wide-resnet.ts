import * as tf from '@tensorflow/tfjs-core';
import { createRandom } from '../../domain/random.ts';
import { relu } from '../operations.ts';
import { basicBlockProducts, stackBlocks, type BlockShape, type Layer } from './basic-block.ts';
import {
  convolve,
  convolveCentred,
  createParameters,
  dense,
  globalAveragePool,
  normalise,
  publishedWeights,
  type ParameterStore,
} from './layers.ts';
import type { Network, NetworkSettings } from './network.ts';

/** k: how many times wider than the first convolution the first stage is. */
const widening = 10;

/**
 * Wide residual network WRN-`depth`-10 (Zagoruyko & Komodakis 2016), as the SAT authors run it: without dropout. Three stages of
 * (depth − 4) / 6 pre-activation blocks with `width` · 10, 20, 40 channels (the published width is 16); the last two halve
 * the side. The sum that leaves the last block is normalised and rectified before the average pool, which is over whatever
 * side is left, so any resolution will do.
 */
export function createWideResnet(depth: number, { width, resolution, outputs, seed }: NetworkSettings): Network {
  const store = createParameters(createRandom(seed), publishedWeights);
  const stem = store.convolution('stem', 3, 3, width);
  const body = wideResnetShape(depth, width, resolution).map((block) =>
    createPreactivationBlock(store, block.name, block),
  );
  const featureSize = 4 * widening * width;
  const lastNorm = store.norm('last/norm', featureSize);
  const head = store.dense('head', featureSize, outputs);
  return {
    parameters: store.parameters,
    statistics: store.statistics,
    featureSize,
    features: (images, mode) => {
      let x = convolve(images, stem);
      for (const block of body) x = block(x, mode);
      return globalAveragePool(relu(normalise(x, lastNorm, mode)));
    },
    classify: (features) => dense(features, head),
  };
}

/** Cost of one picture's forward pass in GFLOP, a multiplication and an addition counted as two. */
export function wideResnetGflop(depth: number, width: number, resolution: number): number {
  let products = resolution ** 2 * 9 * 3 * width;
  for (const block of wideResnetShape(depth, width, resolution)) products += basicBlockProducts(block);
  return (2 * products) / 1e9;
}

function wideResnetShape(depth: number, width: number, resolution: number): ReturnType<typeof stackBlocks> {
  const blocks = (depth - 4) / 6;
  const stages = [1, 2, 4].map((factor) => ({
    blocks,
    outputs: widening * width * factor,
    stride: factor === 1 ? 1 : 2,
  }));
  return stackBlocks({ outputs: width, side: resolution }, stages);
}

/**
 * a = relu(norm(x)); y = conv(relu(norm(conv(a)))) + shortcut. The shortcut is x itself, or a 1×1 convolution of a where the
 * number of channels changes.
 */
function createPreactivationBlock(store: ParameterStore, name: string, shape: BlockShape): Layer {
  const { inputs, outputs, stride } = shape;
  const firstNorm = store.norm(`${name}/first/norm`, inputs);
  const first = store.convolution(`${name}/first`, 3, inputs, outputs);
  const secondNorm = store.norm(`${name}/second/norm`, outputs);
  const second = store.convolution(`${name}/second`, 3, outputs, outputs);
  const shortcut = inputs === outputs ? null : store.convolution(`${name}/shortcut`, 1, inputs, outputs);
  return (x, mode) => {
    const active = relu(normalise(x, firstNorm, mode));
    const inner = relu(normalise(convolveCentred(active, first, stride), secondNorm, mode));
    return tf.add(convolve(inner, second), shortcut === null ? x : convolve(active, shortcut, stride));
  };
}
