import * as tf from '@tensorflow/tfjs-core';
import { AppError } from '../../../shared/result.ts';
import { createRandom, type Random } from '../../domain/random.ts';
import { relu } from '../operations.ts';
import { convolve, createParameters, dense, normalise, publishedWeights, type ParameterStore } from './layers.ts';
import type { Mode, Network, NetworkSettings } from './network.ts';

/** Convolutions of each stage and multiples of `width` (Simonyan & Zisserman 2015, table 1, column D). */
const stages = [
  { convolutions: 2, factor: 1 },
  { convolutions: 2, factor: 2 },
  { convolutions: 3, factor: 4 },
  { convolutions: 3, factor: 8 },
  { convolutions: 3, factor: 8 },
];

/** Share of the channels that dropout blanks: behind the first convolution, behind the others, and around the head. */
const dropout = { first: 0.3, inner: 0.4, head: 0.5 };

/**
 * VGG16 with batch normalisation, as the SAT authors' selective classification has it (models/cifar/vgg.py of SAT-selective-cls,
 * after Deep Gamblers). It differs from the usual VGG16-BN in three ways: the ReLU comes before the normalisation; dropout of whole
 * channels follows every convolution but the last of a stage; and the head is linear (512), ReLU, normalisation, dropout, linear,
 * where the usual one for CIFAR is a single linear layer. All that remains of the picture enters the head, so its first
 * matrix grows with the resolution: 512 rows at 32 pixels, 2048 at 64.
 *
 * The features are the hidden layer's 512 numbers. Dropout draws from a stream of the network's own, which begins at the seed.
 * @throws AppError for a resolution below 32, which five halvings would leave nothing of
 */
export function createVgg({ width, resolution, outputs, seed }: NetworkSettings): Network {
  const random = createRandom(seed);
  // The authors draw the matrices with a fixed deviation.
  const store = createParameters(random, { ...publishedWeights, dense: () => 0.01 });
  const body = vggShape(width, resolution).map((shape) => createConvolution(store, shape, random));
  const featureSize = 8 * width;
  const flatSize = vggSideLeft(resolution) ** 2 * featureSize;
  const hidden = store.dense('hidden', flatSize, featureSize);
  const hiddenNorm = store.norm('hidden/norm', featureSize);
  const head = store.dense('head', featureSize, outputs);
  return {
    parameters: store.parameters,
    statistics: store.statistics,
    random,
    featureSize,
    features: (images, mode) => {
      let x = images;
      for (const convolution of body) x = convolution(x, mode);
      x = dropChannels(x, dropout.head, random, mode);
      const flat = dense(tf.reshape(x, [-1, flatSize]), hidden);
      const normal = normalise(relu(tf.reshape(flat, [-1, 1, 1, featureSize])), hiddenNorm, mode);
      return tf.reshape(dropChannels(normal, dropout.head, random, mode), [-1, featureSize]);
    },
    classify: (features) => dense(features, head),
  };
}

/** Cost of one picture's forward pass in GFLOP, a multiplication and an addition counted as two. */
export function vggGflop(width: number, resolution: number): number {
  let products = vggSideLeft(resolution) ** 2 * (8 * width) ** 2;
  for (const { inputs, outputs, side } of vggShape(width, resolution)) products += side ** 2 * 9 * inputs * outputs;
  return (2 * products) / 1e9;
}

interface ConvolutionShape {
  name: string;
  inputs: number;
  outputs: number;
  /** Of the feature map, before the pooling. */
  side: number;
  /** The last of a stage. */
  pools: boolean;
  /** Share of channels. */
  dropout: number;
}

function vggShape(width: number, resolution: number): ConvolutionShape[] {
  let [inputs, side] = [3, resolution];
  return stages.flatMap(({ convolutions, factor }, stage) => {
    const shapes = Array.from({ length: convolutions }, (_, index) => {
      const pools = index === convolutions - 1;
      const shape = {
        name: `stage${stage + 1}/${index + 1}`,
        inputs,
        outputs: factor * width,
        side,
        pools,
        dropout: pools ? 0 : stage === 0 ? dropout.first : dropout.inner,
      };
      inputs = shape.outputs;
      return shape;
    });
    side = Math.floor(side / 2);
    return shapes;
  });
}

/** Side of the feature map that enters the head. */
function vggSideLeft(resolution: number): number {
  const side = Math.floor(resolution / 2 ** stages.length);
  if (side === 0) {
    const message = `VGG16 halves its input five times and needs 32 pixels or more, not ${resolution}; choose another network or a larger resolution.`;
    throw new AppError('invalid-input', message);
  }
  return side;
}

function createConvolution(
  store: ParameterStore,
  shape: ConvolutionShape,
  random: Random,
): (x: tf.Tensor4D, mode: Mode) => tf.Tensor4D {
  const filter = store.convolution(shape.name, 3, shape.inputs, shape.outputs);
  const bias = store.bias(`${shape.name}/bias`, shape.outputs);
  const norm = store.norm(`${shape.name}/norm`, shape.outputs);
  return (x, mode) => {
    const y = normalise(relu(tf.add(convolve(x, filter), bias)), norm, mode);
    return shape.pools ? tf.maxPool(y, 2, 2, 'valid') : dropChannels(y, shape.dropout, random, mode);
  };
}

/** Blanks whole channels at random (Tompson et al. 2015) and scales the rest up, so that the mean stays. */
function dropChannels(x: tf.Tensor4D, share: number, random: Random, mode: Mode): tf.Tensor4D {
  if (mode === 'evaluation') return x;
  const [batch, , , channels] = x.shape;
  const kept = Float32Array.from({ length: batch * channels }, () => (random.next() < share ? 0 : 1 / (1 - share)));
  return tf.mul(x, tf.tensor4d(kept, [batch, 1, 1, channels]));
}
