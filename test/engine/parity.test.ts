import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../src-main/domain/random.ts';
import { enginesByPreference } from '../../src-main/engine/choice.ts';
import { loadEngine } from '../../src-main/engine/engines.ts';
import { batchNormEvaluation, batchNormTraining, relu } from '../../src-main/sat/operations.ts';
import type { EngineName } from '../../shared/domain.ts';
import { engineFolderForTests } from '../support/engine-folder.ts';
import { allowSoftwareGpu } from '../support/software-gpu.ts';

describe.each(enginesByPreference)('%s', (name: EngineName) => {
  let absent: string | null = null;

  beforeAll(async () => {
    allowSoftwareGpu();
    try {
      const engine = await loadEngine(name, engineFolderForTests());
      console.log(`engine in use: ${name} ${engine.version}, ${engine.device}`);
    } catch (error) {
      absent = String(error);
      console.warn(`engine not in use: ${name}: ${absent}`);
    }
  });

  it('normalises a batch and passes the gradient as the composed operations do', async (context) => {
    if (absent !== null) return context.skip(absent);
    const x = randomTensor([4, 3, 5, 6], 1) as tf.Tensor4D;
    const scale = randomTensor([6], 2) as tf.Tensor1D;
    const offset = randomTensor([6], 3) as tf.Tensor1D;
    const weights = randomTensor([4, 3, 5, 6], 4);
    const composed = (x: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor): tf.Tensor => {
      const { mean, variance } = tf.moments(x, [0, 1, 2]);
      return tf.add(tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-5))), scale), offset);
    };
    const fused = (x: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor): tf.Tensor =>
      batchNormTraining(x as tf.Tensor4D, scale as tf.Tensor1D, offset as tf.Tensor1D);
    const both = [fused, composed].map((operation) =>
      tf.valueAndGrads((...inputs) => tf.sum(tf.mul(weights, operation(inputs[0]!, inputs[1]!, inputs[2]!))))([
        x,
        scale,
        offset,
      ]),
    );
    const [actual, expected] = both as [(typeof both)[0], (typeof both)[0]];
    expectClose(await actual.value.data(), [...(await expected.value.data())], 1e-3);
    for (const [i, grad] of actual.grads.entries()) {
      expectClose(await grad.data(), [...(await expected.grads[i]!.data())], 1e-3);
    }
  });

  it('normalises by given statistics as by those of the batch, and gives the statistics it found', async (context) => {
    if (absent !== null) return context.skip(absent);
    const x = randomTensor([8, 3, 5, 6], 1) as tf.Tensor4D;
    const scale = randomTensor([6], 2) as tf.Tensor1D;
    const offset = randomTensor([6], 3) as tf.Tensor1D;
    const found: tf.Tensor[] = [];
    batchNormTraining(
      x,
      scale,
      offset,
      (...statistics) => void found.push(...statistics.map((tensor) => tf.keep(tensor))),
    );
    const { mean, variance } = tf.moments(x, [0, 1, 2]);
    const count = 8 * 3 * 5;
    expectClose(await found[0]!.data(), [...(await mean.data())], 1e-5);
    expectClose(await found[1]!.data(), [...(await tf.mul(variance, count / (count - 1)).data())], 1e-5);
    const weights = randomTensor(x.shape, 4);
    const inverseDeviation = tf.rsqrt(tf.add(variance, 1e-5));
    const byHand = tf.add(tf.mul(tf.mul(tf.sub(x, mean), inverseDeviation), scale), offset);
    const { value, grad } = tf.valueAndGrad((input) =>
      tf.sum(
        tf.mul(
          weights,
          batchNormEvaluation(input as tf.Tensor4D, scale, offset, mean as tf.Tensor1D, variance as tf.Tensor1D),
        ),
      ),
    )(x);
    expectClose(await value.data(), [...(await tf.sum(tf.mul(weights, byHand)).data())], 1e-3);
    expectClose(await grad.data(), [...(await tf.mul(weights, tf.mul(inverseDeviation, scale)).data())], 1e-4);
  });

  it('passes a gradient through relu only where the output is positive', async (context) => {
    if (absent !== null) return context.skip(absent);
    const x = tf.tensor4d([-2, -0.5, 0, 0.5, 2, 3], [1, 1, 6, 1]);
    const dy = tf.tensor4d([1, 2, 3, 4, 5, 6], [1, 1, 6, 1]);
    const gradient = tf.grad((input) => relu(input as tf.Tensor4D))(x, dy);
    expect([...(await gradient.data())]).toEqual([0, 0, 0, 4, 5, 6]);
  });

  it('gives the filter gradient of a strided 1 × 1 convolution, without writing outside its memory', async (context) => {
    if (absent !== null) return context.skip(absent);
    // The very shape at which oneDNN's own ended the process, sooner or later.
    const x = randomTensor([125, 32, 32, 8], 11) as tf.Tensor4D;
    const dy = randomTensor([125, 16, 16, 16], 12) as tf.Tensor4D;
    const filter = tf.zeros<tf.Rank.R4>([1, 1, 8, 16]);
    const gradientOf = tf.grad((f) => tf.conv2d(x, f as tf.Tensor4D, 2, 'same'));
    const every = tf.stridedSlice(x, [0, 0, 0, 0], x.shape, [1, 2, 2, 1]);
    const expected = tf.matMul(tf.reshape(every, [-1, 8]), tf.reshape(dy, [-1, 16]), true, false);
    for (let round = 0; round < (name === 'tensorflow' ? 10 : 1); round++) {
      expectClose(await gradientOf(filter, dy).data(), [...(await expected.data())], 0.01);
    }
  });

  it.for([
    { side: 6, size: 3, stride: 1 },
    { side: 8, size: 3, stride: 2 },
    { side: 7, size: 3, stride: 2 },
    { side: 8, size: 1, stride: 2 },
    { side: 7, size: 1, stride: 2 },
    { side: 16, size: 7, stride: 4 },
  ])('gives both gradients of a convolution $side/$size/$stride', async ({ side, size, stride }, context) => {
    if (absent !== null) return context.skip(absent);
    const x = randomTensor([2, side, side, 3], 5) as tf.Tensor4D;
    const filter = randomTensor([size, size, 3, 4], 6) as tf.Tensor4D;
    const y = tf.conv2d(x, filter, stride, 'same');
    const dy = randomTensor(y.shape, 7) as tf.Tensor4D;
    const actual = tf.grad((f) => tf.conv2d(x, f as tf.Tensor4D, stride, 'same'))(filter, dy);
    expectClose(await actual.data(), await filterGradient(x, dy, size, stride), 1e-4);
    // The convolution is linear in x: Σ dx · x' = Σ dy · conv(x') for any x'.
    const dx = tf.grad((input) => tf.conv2d(input as tf.Tensor4D, filter, stride, 'same'))(x, dy);
    for (let seed = 8; seed < 12; seed++) {
      const other = randomTensor(x.shape, seed) as tf.Tensor4D;
      const left = await tf.sum(tf.mul(dx, other)).data();
      const right = await tf.sum(tf.mul(dy, tf.conv2d(other, filter, stride, 'same'))).data();
      expectClose(left, [right[0]!], 1e-3);
    }
  });

  it.for([
    { side: 8, size: 2, stride: 2, pad: 'valid' as const },
    { side: 7, size: 2, stride: 2, pad: 'valid' as const },
    { side: 7, size: 3, stride: 2, pad: 'same' as const },
  ])('gives the gradient of pooling $side/$size/$stride/$pad to the first largest pixel', async (shape, context) => {
    if (absent !== null) return context.skip(absent);
    const { side, size, stride, pad } = shape;
    // Rounded, so that windows have several largest pixels; lowered, so that many have no positive one.
    const x = tf.round<tf.Tensor4D>(tf.sub(randomTensor([2, side, side, 3], 5), 1));
    const y = tf.maxPool(x, size, stride, pad);
    const dy = randomTensor(y.shape, 6) as tf.Tensor4D;
    const dx = tf.grad((input) => tf.maxPool(input as tf.Tensor4D, size, stride, pad))(x, dy);
    expectClose(await dx.data(), await poolGradient(x, dy, size, stride, pad), 1e-5);
  });
});

/** Straight from the definition. */
async function poolGradient(
  x: tf.Tensor4D,
  dy: tf.Tensor4D,
  size: number,
  stride: number,
  pad: 'valid' | 'same',
): Promise<number[]> {
  const [batch, side, , channels] = x.shape;
  const [, outSide] = dy.shape;
  const before = pad === 'valid' ? 0 : Math.floor(Math.max(0, (outSide - 1) * stride + size - side) / 2);
  const xs = await x.array();
  const dys = await dy.array();
  const dx = tf.buffer(x.shape);
  for (let b = 0; b < batch; b++)
    for (let c = 0; c < channels; c++)
      for (let h = 0; h < outSide; h++)
        for (let w = 0; w < outSide; w++) {
          let largest = { value: -Infinity, row: 0, column: 0 };
          for (let row = h * stride - before; row < h * stride - before + size; row++)
            for (let column = w * stride - before; column < w * stride - before + size; column++) {
              const value = xs[b]![row]?.[column]?.[c] ?? -Infinity;
              if (value > largest.value) largest = { value, row, column };
            }
          const { row, column } = largest;
          dx.set(dx.get(b, row, column, c) + dys[b]![h]![w]![c]!, b, row, column, c);
        }
  return [...dx.values];
}

/** Σ over batch and positions, straight from the definition. */
async function filterGradient(x: tf.Tensor4D, dy: tf.Tensor4D, size: number, stride: number): Promise<number[]> {
  const [batch, side, , inputs] = x.shape;
  const [, outSide, , outputs] = dy.shape;
  const before = Math.floor(Math.max(0, (outSide - 1) * stride + size - side) / 2);
  const xs = await x.array();
  const dys = await dy.array();
  const gradient: number[] = [];
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++)
      for (let ci = 0; ci < inputs; ci++)
        for (let co = 0; co < outputs; co++) {
          let sum = 0;
          for (let b = 0; b < batch; b++)
            for (let h = 0; h < outSide; h++)
              for (let w = 0; w < outSide; w++) {
                const pixel = xs[b]![h * stride + i - before]?.[w * stride + j - before]?.[ci] ?? 0;
                sum += pixel * dys[b]![h]![w]![co]!;
              }
          gradient.push(sum);
        }
  return gradient;
}

function randomTensor(shape: number[], seed: number): tf.Tensor {
  const random = createRandom(seed);
  const size = shape.reduce((product, side) => product * side, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, () => random.normal()),
    shape,
  );
}

function expectClose(actual: ArrayLike<number>, expected: number[], tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  const worst = expected.reduce((largest, value, i) => Math.max(largest, Math.abs(value - actual[i]!)), 0);
  expect(worst).toBeLessThanOrEqual(tolerance);
}
