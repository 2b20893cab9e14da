import '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../src-main/domain/random.ts';
import { loadWasm } from '../../src-main/engine/wasm.ts';
import { batchNormTraining, relu } from '../../src-main/sat/operations.ts';

/* The programs of the WebAssembly engine against tfjs's plain JavaScript backend, at sizes that fill no tile. */

const threads = 3;

beforeAll(async () => {
  const { device } = await loadWasm(threads);
  expect(device).toBe('CPU, 3 threads');
});

describe('convolution', () => {
  const cases = [
    { x: [1, 1, 1, 1], filter: [1, 1, 1, 1], strides: 1, pad: 'same' },
    { x: [2, 5, 7, 3], filter: [3, 3, 3, 9], strides: 1, pad: 'same' },
    { x: [3, 9, 6, 5], filter: [3, 2, 5, 7], strides: 2, pad: 'valid' },
    { x: [2, 7, 7, 13], filter: [1, 1, 13, 17], strides: 3, pad: 'same' },
    { x: [2, 23, 19, 3], filter: [7, 7, 3, 10], strides: 4, pad: 'same' },
    { x: [2, 8, 11, 2], filter: [2, 2, 2, 6], strides: 3, pad: 'valid' },
    { x: [1, 6, 9, 8], filter: [3, 5, 8, 24], strides: [2, 1], pad: 'same' },
    { x: [5, 14, 13, 6], filter: [5, 5, 6, 11], strides: 2, pad: 2 },
    // More rows than one chunk has, and several splits of the sums.
    { x: [40, 9, 9, 7], filter: [3, 3, 7, 12], strides: 1, pad: 'same' },
  ] as const;

  it.for(cases)('$x by $filter, strides $strides, padding $pad', async ({ x, filter, strides, pad }) => {
    const run = (): Float32Array[] =>
      tf.tidy(() => {
        const pictures = randomTensor(x, 1) as tf.Tensor4D;
        const weights = randomTensor(filter, 2) as tf.Tensor4D;
        const convolve = (pictures: tf.Tensor, weights: tf.Tensor): tf.Tensor =>
          tf.conv2d(
            pictures as tf.Tensor4D,
            weights as tf.Tensor4D,
            strides as [number, number] | number,
            pad,
            'NHWC',
            1,
            pad === 2 ? 'floor' : undefined,
          );
        const y = convolve(pictures, weights);
        const gradients = tf.grads(convolve)([pictures, weights], randomTensor(y.shape, 3));
        return [y, ...gradients].map((tensor) => tensor.dataSync<'float32'>());
      });
    const [actual, expected] = await onBoth(run);
    actual.forEach((values, index) => expectClose(values, expected[index]!));
  });

  it('reads a dilated filter', async () => {
    const run = (): Float32Array =>
      tf.tidy(() =>
        tf
          .conv2d(
            randomTensor([2, 9, 8, 3], 1) as tf.Tensor4D,
            randomTensor([3, 3, 3, 5], 2) as tf.Tensor4D,
            1,
            'same',
            'NHWC',
            2,
          )
          .dataSync<'float32'>(),
      );
    const [actual, expected] = await onBoth(run);
    expectClose(actual, expected);
  });
});

describe('normalisation', () => {
  it.for([1, 5, 16, 23, 37])('of %d channels, far from zero', (channels) => {
    const rows = 7 * 11 * 13;
    const x = tf.tidy(() => tf.add<tf.Tensor4D>(randomTensor([7, 11, 13, channels], 4), 10));
    const scale = randomTensor([channels], 5) as tf.Tensor1D;
    const offset = randomTensor([channels], 6) as tf.Tensor1D;
    const dy = randomTensor(x.shape, 7);
    const found: Float32Array[] = [];
    const y = batchNormTraining(x, scale, offset, (...statistics) => {
      found.push(...statistics.map((statistic) => statistic.dataSync<'float32'>()));
    });
    const gradients = tf.grads((...inputs) =>
      batchNormTraining(inputs[0] as tf.Tensor4D, inputs[1] as tf.Tensor1D, inputs[2] as tf.Tensor1D),
    )([x, scale, offset], dy);
    // By the formulas, with 64 bits.
    const values = { x: x.dataSync(), dy: dy.dataSync(), scale: scale.dataSync(), offset: offset.dataSync() };
    const expected = {
      y: new Float32Array(x.size),
      dx: new Float32Array(x.size),
      mean: new Float32Array(channels),
      variance: new Float32Array(channels),
      dscale: new Float32Array(channels),
      doffset: new Float32Array(channels),
    };
    for (let c = 0; c < channels; c++) {
      const column = (of: ArrayLike<number>): number[] =>
        Array.from({ length: rows }, (_, row) => of[row * channels + c]!);
      const average = (of: number[]): number => of.reduce((sum, value) => sum + value, 0) / rows;
      const xs = column(values.x);
      const dys = column(values.dy);
      const mean = average(xs);
      const variance = average(xs.map((value) => (value - mean) ** 2));
      const deviation = Math.sqrt(variance + 1e-5);
      const normalised = xs.map((value) => (value - mean) / deviation);
      const meanGradient = average(dys);
      const meanProduct = average(dys.map((value, row) => value * normalised[row]!));
      Object.assign(expected.mean, { [c]: mean });
      Object.assign(expected.variance, { [c]: (variance * rows) / (rows - 1) });
      Object.assign(expected.dscale, { [c]: meanProduct * rows });
      Object.assign(expected.doffset, { [c]: meanGradient * rows });
      for (let row = 0; row < rows; row++) {
        const at = row * channels + c;
        expected.y[at] = normalised[row]! * values.scale[c]! + values.offset[c]!;
        expected.dx[at] = (values.scale[c]! / deviation) * (dys[row]! - meanGradient - normalised[row]! * meanProduct);
      }
    }
    expectClose(found[0]!, expected.mean);
    expectClose(found[1]!, expected.variance);
    expectClose(y.dataSync<'float32'>(), expected.y);
    expectClose(gradients[0]!.dataSync<'float32'>(), expected.dx);
    expectClose(gradients[1]!.dataSync<'float32'>(), expected.dscale);
    expectClose(gradients[2]!.dataSync<'float32'>(), expected.doffset);
  });
});

describe('elementwise', () => {
  it.for([1, 4, 7, 16384, 40001])('%d elements', async (count) => {
    const run = (): Float32Array[] =>
      tf.tidy(() => {
        const [a, b] = [randomTensor([count], 8), randomTensor([count], 9)];
        const dx = tf.grad((x) => relu(x as tf.Tensor4D))(a, b);
        return [tf.add(a, b), tf.relu(a), dx].map((tensor) => tensor.dataSync<'float32'>());
      });
    const values = (seed: number): Float32Array => randomTensor([count], seed).dataSync<'float32'>();
    const [a, b] = [values(8), values(9)];
    const [sum, positive, dx] = run();
    expect(sum).toEqual(a.map((value, index) => value + b[index]!));
    expect(positive).toEqual(a.map((value) => Math.max(value, 0)));
    expect(dx).toEqual(a.map((value, index) => (value > 0 ? b[index]! : 0)));
  });

  it('keeps what is no number, so that a run that diverges is noticed', () => {
    expect(tf.relu(tf.tensor1d([NaN, -1, 2])).dataSync()).toEqual(new Float32Array([NaN, 0, 2]));
  });

  it('leaves sums of different shapes and types to tfjs', () => {
    expect([...tf.add(tf.tensor2d([[1, 2], [3, 4]]), tf.tensor1d([10, 20])).dataSync()]).toEqual([11, 22, 13, 24]); // prettier-ignore
    expect([...tf.add(tf.tensor1d([1, 2], 'int32'), tf.tensor1d([3, 4], 'int32')).dataSync()]).toEqual([4, 6]);
  });

  it('shares the memory of a clone until the last of both is gone', () => {
    const original = tf.tensor1d([1, 2, 3]);
    const clone = original.clone();
    original.dispose();
    expect([...clone.dataSync()]).toEqual([1, 2, 3]);
    clone.dispose();
  });
});

it('gives the same bits with any number of threads', async () => {
  const run = (): Float32Array[] =>
    tf.tidy(() => {
      const x = randomTensor([32, 12, 12, 10], 1) as tf.Tensor4D;
      const scale = randomTensor([20], 2) as tf.Tensor1D;
      const network = (x: tf.Tensor, filter: tf.Tensor): tf.Tensor =>
        relu(batchNormTraining(tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 2, 'same'), scale, scale));
      const filter = randomTensor([3, 3, 10, 20], 3);
      const y = network(x, filter);
      return [y, ...tf.grads(network)([x, filter], randomTensor(y.shape, 4))].map((tensor) =>
        tensor.dataSync<'float32'>(),
      );
    });
  const many = run();
  for (let round = 0; round < 5; round++) expect(run()).toEqual(many);
  expect((await loadWasm(1)).device).toBe('CPU, 1 thread');
  expect(run()).toEqual(many);
});

/** With this engine, then with tfjs's JavaScript. */
async function onBoth<T>(run: () => T): Promise<[T, T]> {
  const actual = run();
  await tf.setBackend('cpu');
  try {
    return [actual, run()];
  } finally {
    await tf.setBackend('wasm');
  }
}

function randomTensor(shape: readonly number[], seed: number): tf.Tensor {
  const random = createRandom(seed);
  const size = shape.reduce((product, side) => product * side, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, () => random.normal()),
    [...shape],
  );
}

/** To a hundred-thousandth of the largest value. */
function expectClose(actual: Float32Array, expected: Float32Array): void {
  expect(actual.length).toBe(expected.length);
  const scale = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1);
  const worst = expected.reduce((worst, value, index) => Math.max(worst, Math.abs(value - actual[index]!)), 0);
  expect(worst / scale).toBeLessThan(1e-5);
}
