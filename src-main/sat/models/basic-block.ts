import * as tf from '@tensorflow/tfjs-core';
import { relu } from '../operations.ts';
import { convolve, normalise, type convolveCentred, type ParameterStore } from './layers.ts';
import type { Mode } from './network.ts';

export interface BlockShape {
  inputs: number;
  outputs: number;
  stride: number;
  /** Side of the feature map that leaves the block. */
  side: number;
}

export type Layer = (x: tf.Tensor4D, mode: Mode) => tf.Tensor4D;

/**
 * Residual block (He et al. 2016, figure 2): relu( norm(conv(relu(norm(conv(x))))) + shortcut(x) ), the shortcut a 1×1
 * convolution where the shape changes.
 * @param stridedConvolution how the first convolution pads
 */
export function createBasicBlock(
  store: ParameterStore,
  name: string,
  { inputs, outputs, stride }: BlockShape,
  stridedConvolution: typeof convolveCentred = convolve,
): Layer {
  const first = store.convolution(`${name}/first`, 3, inputs, outputs);
  const firstNorm = store.norm(`${name}/first/norm`, outputs);
  const second = store.convolution(`${name}/second`, 3, outputs, outputs);
  const secondNorm = store.norm(`${name}/second/norm`, outputs);
  const shortcut = createShortcut(store, name, inputs, outputs, stride);
  return (x, mode) => {
    const inner = relu(normalise(stridedConvolution(x, first, stride), firstNorm, mode));
    return relu(tf.add(normalise(convolve(inner, second), secondNorm, mode), shortcut(x, mode)));
  };
}

/** Multiplications of one picture's forward pass; the same for a pre-activation block. */
export function basicBlockProducts({ inputs, outputs, stride, side }: BlockShape): number {
  const shortcut = inputs === outputs && stride === 1 ? 0 : inputs * outputs;
  return side ** 2 * (9 * inputs * outputs + 9 * outputs * outputs + shortcut);
}

/** Stages of blocks; the first block of a stage changes the channels and strides. */
export function stackBlocks(
  stem: { outputs: number; side: number },
  stages: readonly { blocks: number; outputs: number; stride: number }[],
): (BlockShape & { name: string })[] {
  let [inputs, side] = [stem.outputs, stem.side];
  return stages.flatMap(({ blocks, outputs, stride }, stage) =>
    Array.from({ length: blocks }, (_, block) => {
      const step = block === 0 ? stride : 1;
      side = Math.ceil(side / step);
      const shape = { name: `stage${stage + 1}/block${block + 1}`, inputs, outputs, stride: step, side };
      inputs = outputs;
      return shape;
    }),
  );
}

function createShortcut(store: ParameterStore, name: string, inputs: number, outputs: number, stride: number): Layer {
  if (inputs === outputs && stride === 1) return (x) => x;
  const filter = store.convolution(`${name}/shortcut`, 1, inputs, outputs);
  const norm = store.norm(`${name}/shortcut/norm`, outputs);
  return (x, mode) => normalise(convolve(x, filter, stride), norm, mode);
}
