import * as tf from '@tensorflow/tfjs-core';
import type { Random } from '../../domain/random.ts';
import { batchNormEvaluation, batchNormTraining, movedAverage } from '../operations.ts';
import type { Mode } from './network.ts';

/*
 * The few layers that the networks are made of, as functions over named parameters. A network is data
 * (its parameters) plus a pure forward function, so nothing here holds state of its own.
 */

/** Creates parameters, seeded, and remembers them by name in the order of creation. */
export interface ParameterStore {
  convolution(name: string, size: number, inputs: number, outputs: number): tf.Variable<tf.Rank.R4>;
  /** Of a convolution that has one; zero at the start. */
  bias(name: string, channels: number): tf.Variable<tf.Rank.R1>;
  norm(name: string, channels: number): NormParameters;
  dense(name: string, inputs: number, outputs: number): DenseParameters;
  readonly parameters: ReadonlyMap<string, tf.Variable>;
  readonly statistics: ReadonlyMap<string, tf.Variable>;
}

export interface NormParameters {
  scale: tf.Variable<tf.Rank.R1>;
  offset: tf.Variable<tf.Rank.R1>;
  /** Running averages over batches. */
  mean: tf.Variable<tf.Rank.R1>;
  variance: tf.Variable<tf.Rank.R1>;
}

export interface DenseParameters {
  weights: tf.Variable<tf.Rank.R2>;
  bias: tf.Variable<tf.Rank.R1>;
}

/** Standard deviations of the normals that weights start from; biases start at zero. */
export interface Initialisation {
  convolution(size: number, inputs: number, outputs: number): number;
  dense(inputs: number): number;
}

/**
 * Ours. Every convolution of ours is normalised after, so its scale changes nothing but the effective learning rate (step over
 * norm); He's larger weights learned too little in runs as short as ours.
 */
const smallWeights: Initialisation = {
  convolution: (size, inputs) => Math.sqrt(1 / (3 * size * size * inputs)),
  dense: (inputs) => Math.sqrt(1 / inputs),
};

/**
 * The authors': He et al. (2015) by fan-out, which keeps the scale of the gradient through any depth. Their classifier keeps
 * PyTorch's default, a uniform distribution; ours is the normal of its variance.
 */
export const publishedWeights: Initialisation = {
  convolution: (size, _inputs, outputs) => Math.sqrt(2 / (size * size * outputs)),
  dense: (inputs) => Math.sqrt(1 / (3 * inputs)),
};

export function createParameters(random: Random, initialisation = smallWeights): ParameterStore {
  const parameters = new Map<string, tf.Variable>();
  const statistics = new Map<string, tf.Variable>();
  const create = <R extends tf.Rank>(
    name: string,
    shape: number[],
    value: () => number,
    into = parameters,
  ): tf.Variable<R> => {
    const data = new Float32Array(shape.reduce((product, side) => product * side, 1)).map(value);
    const initial = tf.tensor(data, shape);
    const variable = tf.variable(initial, into === parameters);
    // The variable shares its data, which would outlive the variable otherwise.
    initial.dispose();
    into.set(name, variable);
    return variable as tf.Variable<R>;
  };
  return {
    parameters,
    statistics,
    convolution: (name, size, inputs, outputs) => {
      const deviation = initialisation.convolution(size, inputs, outputs);
      return create(name, [size, size, inputs, outputs], () => deviation * random.normal());
    },
    bias: (name, channels) => create(name, [channels], () => 0),
    norm: (name, channels) => ({
      scale: create(`${name}/scale`, [channels], () => 1),
      offset: create(`${name}/offset`, [channels], () => 0),
      mean: create(`${name}/mean`, [channels], () => 0, statistics),
      variance: create(`${name}/variance`, [channels], () => 1, statistics),
    }),
    dense: (name, inputs, outputs) => {
      const deviation = initialisation.dense(inputs);
      return {
        weights: create(`${name}/weights`, [inputs, outputs], () => deviation * random.normal()),
        bias: create(`${name}/bias`, [outputs], () => 0),
      };
    },
  };
}

/** Convolution, zero-padded to the same size (divided by the stride), without bias. */
export function convolve(x: tf.Tensor4D, filter: tf.Variable<tf.Rank.R4>, stride = 1): tf.Tensor4D {
  return tf.conv2d(x, filter, stride, 'same');
}

/**
 * As `convolve`, but padded equally on all sides, as the published networks are. The filter is centred on every
 * stride-th pixel from the first on, the very ones that a strided 1×1 shortcut reads; on even sides tf's 'same' pads right
 * and below alone, which sets it one pixel further. Padding before a 'valid' convolution, because not every backend takes
 * explicit padding.
 */
export function convolveCentred(x: tf.Tensor4D, filter: tf.Variable<tf.Rank.R4>, stride: number): tf.Tensor4D {
  if (stride === 1) return convolve(x, filter);
  const border: [number, number] = [(filter.shape[0] - 1) / 2, (filter.shape[0] - 1) / 2];
  return tf.conv2d(tf.pad4d(x, [[0, 0], border, border, [0, 0]]), filter, stride, 'valid');
}

/** Batch normalisation; in training it moves the running averages, too. */
export function normalise(x: tf.Tensor4D, norm: NormParameters, mode: Mode): tf.Tensor4D {
  const { scale, offset, mean, variance } = norm;
  if (mode === 'evaluation') return batchNormEvaluation(x, scale, offset, mean, variance);
  return batchNormTraining(x, scale, offset, (batchMean, batchVariance) => {
    moveAverage(mean, batchMean);
    moveAverage(variance, batchVariance);
  });
}

/** Mean over height and width: `[batch, height, width, channels]` → `[batch, channels]` */
export function globalAveragePool(x: tf.Tensor4D): tf.Tensor2D {
  return tf.mean<tf.Tensor2D>(x, [1, 2]);
}

export function dense(x: tf.Tensor2D, { weights, bias }: DenseParameters): tf.Tensor2D {
  return tf.add(tf.matMul(x, weights as tf.Tensor2D), bias);
}

/** Share of the newest batch in the running averages; PyTorch's default, which all published settings use. */
const newestShare = 0.1;

function moveAverage(average: tf.Variable<tf.Rank.R1>, latest: tf.Tensor1D): void {
  average.assign(movedAverage(average as tf.Tensor1D, latest, newestShare));
}
