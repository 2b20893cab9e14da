import * as tf from '@tensorflow/tfjs-core';
import type { Random } from '../../domain/random.ts';
import { batchNormTraining } from '../operations.ts';

/*
 * The few layers that the networks are made of, as functions over named parameters. A network is data
 * (its parameters) plus a pure forward function, so nothing here holds state of its own.
 */

/** Creates parameters, seeded, and remembers them by name in the order of creation. */
export interface ParameterStore {
  /**
   * Normal, variance 1 / (3 · fan-in). Every convolution is normalised after, so its scale changes nothing but the effective
   * learning rate (step over norm); He's larger weights learned too little in runs as short as ours.
   */
  convolution(name: string, size: number, inputs: number, outputs: number): tf.Variable<tf.Rank.R4>;
  norm(name: string, channels: number): NormParameters;
  /** Normal, variance 1 / inputs. */
  dense(name: string, inputs: number, outputs: number): DenseParameters;
  readonly all: ReadonlyMap<string, tf.Variable>;
}

export interface NormParameters {
  scale: tf.Variable<tf.Rank.R1>;
  offset: tf.Variable<tf.Rank.R1>;
}

export interface DenseParameters {
  weights: tf.Variable<tf.Rank.R2>;
  bias: tf.Variable<tf.Rank.R1>;
}

export function createParameters(random: Random): ParameterStore {
  const all = new Map<string, tf.Variable>();
  const create = <R extends tf.Rank>(name: string, shape: number[], value: () => number): tf.Variable<R> => {
    const data = Float32Array.from({ length: shape.reduce((product, side) => product * side, 1) }, value);
    const variable = tf.variable(tf.tensor(data, shape));
    all.set(name, variable);
    return variable as tf.Variable<R>;
  };
  return {
    all,
    convolution: (name, size, inputs, outputs) => {
      const deviation = Math.sqrt(1 / (3 * size * size * inputs));
      return create(name, [size, size, inputs, outputs], () => deviation * random.normal());
    },
    norm: (name, channels) => ({
      scale: create(`${name}/scale`, [channels], () => 1),
      offset: create(`${name}/offset`, [channels], () => 0),
    }),
    dense: (name, inputs, outputs) => ({
      weights: create(`${name}/weights`, [inputs, outputs], () => random.normal() / Math.sqrt(inputs)),
      bias: create(`${name}/bias`, [outputs], () => 0),
    }),
  };
}

/** Convolution, zero-padded to the same size (divided by the stride), without bias. */
export function convolve(x: tf.Tensor4D, filter: tf.Variable<tf.Rank.R4>, stride = 1): tf.Tensor4D {
  return tf.conv2d(x, filter, stride, 'same');
}

export function normalise(x: tf.Tensor4D, { scale, offset }: NormParameters): tf.Tensor4D {
  return batchNormTraining(x, scale, offset);
}

/** Mean over height and width: `[batch, height, width, channels]` → `[batch, channels]` */
export function globalAveragePool(x: tf.Tensor4D): tf.Tensor2D {
  return tf.mean<tf.Tensor2D>(x, [1, 2]);
}

export function dense(x: tf.Tensor2D, { weights, bias }: DenseParameters): tf.Tensor2D {
  return tf.add(tf.matMul(x, weights as tf.Tensor2D), bias);
}
