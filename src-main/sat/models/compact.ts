import * as tf from '@tensorflow/tfjs-core';
import { createRandom } from '../../domain/random.ts';
import { relu } from '../operations.ts';
import {
  convolve,
  createParameters,
  dense,
  globalAveragePool,
  normalise,
  type NormParameters,
  type ParameterStore,
} from './layers.ts';

/** A network that maps a batch of pictures to logits. */
export interface Network {
  parameters: ReadonlyMap<string, tf.Variable>;
  /** `[batch, resolution, resolution, 3]` → `[batch, outputs]`, in training mode. */
  forward(images: tf.Tensor4D): tf.Tensor2D;
}

export interface CompactSettings {
  /** Channels of the stem; see `compactStages`. */
  width: number;
  /** Side of the input in pixels, 32 … 128. */
  resolution: number;
  /** Logits. */
  outputs: number;
  seed: number;
}

/**
 * Our own small residual network: a strided-as-needed stem, then stages of one basic block each (He et al. 2016)
 * that halve the side and double the channels. Most of its work is at 16 pixels and below, where a
 * convolution has enough channels to keep a processor busy; larger inputs get a stem of larger stride and
 * one more stage, so the cost grows far slower than the number of pixels.
 */
export function createCompactNetwork({ width, resolution, outputs, seed }: CompactSettings): Network {
  const parameters = createParameters(createRandom(seed));
  const stages = compactStages(width, resolution);
  const stem = compactStem(resolution);
  const stemFilter = parameters.convolution('stem', stem.size, 3, width);
  const stemNorm = parameters.norm('stem/norm', width);
  const blocks = stages.map((stage, index) => createBlock(parameters, `stage${index + 1}`, stage));
  const head = parameters.dense('head', stages.at(-1)!.outputs, outputs);
  return {
    parameters: parameters.all,
    forward: (images) => {
      let x = relu(normalise(convolve(images, stemFilter, stem.stride), stemNorm));
      for (const block of blocks) x = block(x);
      return dense(globalAveragePool(x), head);
    },
  };
}

export interface Stage {
  inputs: number;
  outputs: number;
  stride: number;
  /** Side of the feature map that leaves the stage. */
  side: number;
}

/** The first convolution: 3×3 on small pictures, strided on larger ones. */
export function compactStem(resolution: number): { size: number; stride: number; side: number } {
  const stride = resolution >= 96 ? 4 : resolution >= 64 ? 2 : 1;
  return { size: stride === 1 ? 3 : stride === 2 ? 5 : 7, stride, side: Math.ceil(resolution / stride) };
}

/** Stages until the feature map is 4 pixels wide or less. */
export function compactStages(width: number, resolution: number): Stage[] {
  const stages: Stage[] = [];
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
  for (const { inputs, outputs, side } of compactStages(width, resolution)) {
    products += side ** 2 * (9 * inputs * outputs + 9 * outputs * outputs + inputs * outputs);
  }
  return (2 * products) / 1e9;
}

/** relu( norm(conv(relu(norm(conv(x))))) + shortcut(x) ), the shortcut a 1×1 convolution where the shape changes. */
function createBlock(
  parameters: ParameterStore,
  name: string,
  { inputs, outputs, stride }: Stage,
): (x: tf.Tensor4D) => tf.Tensor4D {
  const first = parameters.convolution(`${name}/first`, 3, inputs, outputs);
  const firstNorm = parameters.norm(`${name}/first/norm`, outputs);
  const second = parameters.convolution(`${name}/second`, 3, outputs, outputs);
  const secondNorm = parameters.norm(`${name}/second/norm`, outputs);
  const shortcut = createShortcut(parameters, name, inputs, outputs, stride);
  return (x) => {
    const inner = relu(normalise(convolve(x, first, stride), firstNorm));
    return relu(tf.add(normalise(convolve(inner, second), secondNorm), shortcut(x)));
  };
}

function createShortcut(
  parameters: ParameterStore,
  name: string,
  inputs: number,
  outputs: number,
  stride: number,
): (x: tf.Tensor4D) => tf.Tensor4D {
  if (inputs === outputs && stride === 1) return (x) => x;
  const filter = parameters.convolution(`${name}/shortcut`, 1, inputs, outputs);
  const norm: NormParameters = parameters.norm(`${name}/shortcut/norm`, outputs);
  return (x) => normalise(convolve(x, filter, stride), norm);
}
