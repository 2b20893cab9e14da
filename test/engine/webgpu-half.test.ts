import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadEngine } from '../../src-main/engine/engines.ts';
import { halfSumChoices, type HalfSums } from '../../src-main/engine/webgpu-arithmetic.ts';
import { createProductTimer } from '../../src-main/engine/webgpu-precision.ts';
import type { WebgpuBackend } from '../../src-main/engine/webgpu-program.ts';
import { satCrossEntropy } from '../../src-main/sat/losses.ts';
import { createCompactNetwork } from '../../src-main/sat/models/compact.ts';
import { logitsOf } from '../../src-main/sat/models/network.ts';
import { allowSoftwareGpu } from '../support/software-gpu.ts';
import { onBackend, randomTensor, useOnWebgpu } from './webgpu-cases.ts';

/* Convolutions in half precision against tfjs's JavaScript in single precision; on a software adapter where there is no card. */

let absent: string | null = null;

beforeAll(async () => {
  allowSoftwareGpu();
  try {
    await loadEngine('wasm', null);
    const engine = await loadEngine('webgpu', null);
    engine.broken?.catch((error: unknown) => console.error(error));
    console.log(`engine in use: webgpu, ${engine.device}`);
    if (!useOnWebgpu({ precision: 'f16' })) absent = `${engine.device} has no half precision (shader-f16)`;
  } catch (error) {
    absent = String(error);
  }
  if (absent !== null) console.warn(`half precision on WebGPU is not tested: ${absent}`);
});

const usual = {
  name: '3 × 3, vectors of channels',
  x: [4, 8, 8, 24],
  filter: [3, 3, 24, 32],
  stride: 1,
  pad: 'same',
  halfSums: 8,
} as const;

describe('convolutions in half precision', () => {
  it.for([
    ...halfSumChoices.map((halfSums) => ({ ...usual, halfSums })),
    { ...usual, name: '3 × 3, 3 to 5 channels', x: [2, 6, 7, 3], filter: [3, 3, 3, 5] },
    { ...usual, name: '5 × 3, stride 2, valid', x: [3, 9, 7, 4], filter: [5, 3, 4, 6], stride: 2, pad: 'valid' },
    { ...usual, name: 'more rows and columns than a tile', x: [1, 9, 9, 12], filter: [3, 3, 12, 68] },
    { ...usual, name: 'a depth that is split', x: [40, 8, 8, 4], filter: [3, 3, 4, 4] },
  ] as const)('$name, sums of $halfSums', { timeout: 180_000 }, async ({ halfSums, ...shape }, context) => {
    if (absent !== null) return context.skip(absent);
    const found = await convolveOnBoth(shape, {}, halfSums);
    expectProducts(`${shape.name}, sums of ${halfSums}`, found, roundingOf(halfSums));
  });

  it.for([
    { name: 'pictures of 1e-3', sizes: { x: 1e-3 } },
    { name: 'gradients of 1e-9', sizes: { dy: 1e-9 } },
    { name: 'gradients of 1e-3 and pictures of 30', sizes: { dy: 1e-3, x: 30 } },
    { name: 'pictures of 1e4', sizes: { x: 1e4 } },
    { name: 'filters of 100', sizes: { filter: 100 } },
  ])('keeps its digits with $name', { timeout: 180_000 }, async ({ name, sizes }, context) => {
    if (absent !== null) return context.skip(absent);
    // Where pictures are of 1e-3, their products with gradients are in part too small for all digits.
    expectProducts(name, await convolveOnBoth(usual, sizes, 8), 2 * roundingOf(8));
  });

  it(
    'goes on in single precision behind a number that is too large for sums',
    { timeout: 180_000 },
    async (context) => {
      if (absent !== null) return context.skip(absent);
      expectProducts('an outlier', await convolveOnBoth(usual, { outlier: 5000 }, 8), 2 * roundingOf(8));
    },
  );

  it.for([
    { name: 'pictures of 1e5', sizes: { x: 1e5 } },
    { name: 'gradients of 100', sizes: { dy: 100 } },
    { name: 'filters of 1e6', sizes: { filter: 1e6 } },
  ])('takes $name for the largest half, not for infinity', { timeout: 180_000 }, async ({ name, sizes }, context) => {
    if (absent !== null) return context.skip(absent);
    expectProducts(name, await convolveOnBoth(usual, sizes, 8), roundingOf(8));
  });

  it('leaves what is no number as it is', { timeout: 180_000 }, async (context) => {
    if (absent !== null) return context.skip(absent);
    useOnWebgpu({ precision: 'f16', halfSums: 8 });
    const [y] = await onBackend('webgpu', () => [
      tf.conv2d(tf.fill<tf.Rank.R4>([1, 4, 4, 4], NaN), randomTensor([1, 1, 4, 4], 1) as tf.Tensor4D, 1, 'same'),
    ]);
    expect(Array.from(y!).every(Number.isNaN)).toBe(true);
  });

  it('repeats itself to the bit', { timeout: 180_000 }, async (context) => {
    if (absent !== null) return context.skip(absent);
    const [first, second] = [await convolveOnBoth(usual, {}, 8), await convolveOnBoth(usual, {}, 8)];
    expect(first.actual).toEqual(second.actual);
  });
});

it('computes a step of the compact network as single precision does', { timeout: 900_000 }, async (context) => {
  if (absent !== null) return context.skip(absent);
  useOnWebgpu({ precision: 'f16', halfSums: 8 });
  const exact = await onBackend('wasm', () => stepOf(0, 0));
  const errorsOf = (step: ArrayLike<number>[]): number[] => exact.map((values, i) => errorOf(step[i]!, values));
  const [loss = NaN, ...gradients] = errorsOf(await onBackend('webgpu', () => stepOf(0, 0)));
  const control: number[] = [];
  for (let seed = 100; seed < 500; seed += 100) {
    control.push(...errorsOf(await onBackend('wasm', () => stepOf(2 ** -10, seed))));
  }
  const [worst, worstControl] = [Math.max(...gradients), Math.max(...control)];
  console.log(
    `step: loss ${loss.toExponential(1)}, gradients at most ${worst.toExponential(1)}; in single precision weights changed by 2^-10 change them by ${worstControl.toExponential(1)}`,
  );
  expect(loss).toBeLessThan(1e-3);
  // Units of ReLU close to zero change sides, whatever the smallness of the cause, so a gradient says little of its precision by itself.
  expect(worst).toBeLessThan(3 * worstControl);
});

/** Loss, gradients and running averages of one step, the weights changed by a random part of themselves, at most `change`. */
function stepOf(change: number, seed: number): tf.Tensor[] {
  const network = createCompactNetwork({ width: 4, resolution: 32, outputs: 10, seed: 1 });
  const parameters = [...network.parameters.values()];
  for (const [i, parameter] of parameters.entries()) {
    const part = tf.mul(tf.tanh(randomTensor(parameter.shape, seed + i)), change);
    parameter.assign(tf.mul(parameter, tf.add(part, 1)));
  }
  const images = randomTensor([4, 32, 32, 3], 2) as tf.Tensor4D;
  const targets = tf.oneHot([1, 2, 3, 4], 10).toFloat() as tf.Tensor2D;
  const settings = { startEpoch: 0, targetMomentum: 0.9 };
  const { value, grads } = tf.variableGrads(
    () => satCrossEntropy(logitsOf(network, images, 'training'), targets, 1, settings).loss,
    parameters,
  );
  return [value, ...parameters.map(({ name }) => grads[name]!), ...network.statistics.values()];
}

it('is timed with the products that choose the precision', { timeout: 900_000 }, async (context) => {
  if (absent !== null) return context.skip(absent);
  await tf.setBackend('webgpu');
  const tensors = tf.memory().numTensors;
  const time = createProductTimer(tf.backend() as WebgpuBackend);
  for (const precision of ['f32', 'f16'] as const) {
    const milliseconds = await time(precision);
    console.log(`products with ${precision}, compiled: ${milliseconds.toFixed(0)} ms`);
    expect(milliseconds).toBeGreaterThan(0);
    expect(milliseconds).toBeLessThan(Infinity);
  }
  expect(tf.memory().numTensors).toBe(tensors);
});

interface Shape {
  x: readonly [number, number, number, number];
  filter: readonly [number, number, number, number];
  stride: number;
  pad: 'same' | 'valid';
}

/** Standard deviations, and one number in the middle of x. */
type Sizes = Partial<Record<'x' | 'filter' | 'dy' | 'outlier', number>>;

/** y, dx and dfilter in half precision, and in single precision of what half precision can hold of the inputs. */
async function convolveOnBoth(
  { x, filter, stride, pad }: Shape,
  sizes: Sizes,
  halfSums: HalfSums,
): Promise<Record<'actual' | 'expected', ArrayLike<number>[]>> {
  useOnWebgpu({ precision: 'f16', halfSums });
  const work = (isExpected: boolean) => (): tf.Tensor[] => {
    const drawn = (shape: readonly number[], seed: number, size: number, scale: number): tf.Tensor4D => {
      const values = tf.mul(randomTensor(shape, seed), size);
      return isExpected
        ? tf.clipByValue<tf.Tensor4D>(values as tf.Tensor4D, -65_504 / scale, 65_504 / scale)
        : (values as tf.Tensor4D);
    };
    const pictures = drawn(x, 1, sizes.x ?? 1, 1);
    const middle = tf
      .oneHot(pictures.size >> 1, pictures.size)
      .toFloat()
      .reshape<tf.Tensor4D>(pictures.shape);
    const picture =
      sizes.outlier === undefined ? pictures : tf.add<tf.Tensor4D>(pictures, tf.mul(middle, sizes.outlier));
    const taps = drawn(filter, 2, sizes.filter ?? 0.05, 16);
    const convolve = (...[a, b]: tf.Tensor[]): tf.Tensor => tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, stride, pad);
    const y = convolve(picture, taps);
    return [y, ...tf.grads(convolve)([picture, taps], drawn(y.shape, 3, sizes.dy ?? 1e-5, 65_536))];
  };
  return { actual: await onBackend('webgpu', work(false)), expected: await onBackend('cpu', work(true)) };
}

/**
 * What rounding leaves of a sum of random products, relative to the sum's own size; root mean squares, so the depth falls out. Each number is
 * rounded by at most 2⁻¹¹ of itself, 2⁻¹¹/√3 in the mean. Two factors make 2 such errors; the sum of n, of which the i-th addition rounds √i
 * products, n/2 more per product.
 */
function roundingOf(halfSums: HalfSums): number {
  return 2 ** -11 * Math.sqrt((2 + halfSums / 2) / 3);
}

/** Compares what `convolveOnBoth` answers. */
function expectProducts(
  what: string,
  { actual, expected }: Record<'actual' | 'expected', ArrayLike<number>[]>,
  tolerance: number,
): void {
  for (const [i, product] of ['y', 'dx', 'dfilter'].entries()) {
    expectClose(`${what}: ${product}`, actual[i]!, expected[i]!, tolerance);
  }
}

/** Root mean squares, relative to what is expected; and no single number is further off than twelve times that. */
function expectClose(what: string, actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect([what, actual.length]).toEqual([what, expected.length]);
  const typical = errorOf(actual, expected);
  const size = rootMeanSquare(expected);
  const worst = Math.max(...Array.from(expected, (value, i) => Math.abs(actual[i]! - value) / size));
  console.log(
    `${what}: ${typical.toExponential(1)}, at most ${worst.toExponential(1)} (${tolerance.toExponential(1)} allowed)`,
  );
  expect(typical, what).toBeLessThanOrEqual(tolerance);
  expect(worst, what).toBeLessThanOrEqual(12 * tolerance);
}

/** Root mean square of the differences, relative to that of what is expected; NaN where one is no number. */
function errorOf(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  return rootMeanSquare(Array.from(expected, (value, i) => actual[i]! - value)) / rootMeanSquare(expected);
}

function rootMeanSquare(values: ArrayLike<number>): number {
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += values[i]! ** 2;
  return Math.sqrt(squares / values.length);
}
