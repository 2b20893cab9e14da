import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src-main/domain/random.ts';
import { arithmeticOf, useArithmetic, type Arithmetic } from '../../src-main/engine/webgpu-arithmetic.ts';
import type { WebgpuBackend } from '../../src-main/engine/webgpu-program.ts';
import { batchNormTraining } from '../../src-main/sat/operations.ts';

/* What the tests of WebGPU share, one file for each adapter, since a process has one. */

/** @param absent why the engine is not there; null where it is */
export function describeNormalisation(absent: () => string | null): void {
  describe.each([true, false])('batch normalisation in training, subgroups: %s', (subgroups) => {
    it.for([
      { name: 'a channel count that no vector divides', shape: [3, 5, 5, 3], mean: 0 },
      { name: 'one channel', shape: [9, 9, 9, 1], mean: 0 },
      { name: 'two vectors of channels', shape: [9, 5, 5, 8], mean: 0 },
      { name: 'rows in many parts', shape: [40, 9, 9, 24], mean: 0 },
      { name: 'more channels than a workgroup reads', shape: [2, 3, 3, 132], mean: 0 },
      { name: 'a mean a thousand times the deviation', shape: [8, 6, 6, 8], mean: 1000 },
    ] as const)('$name', { timeout: 180_000 }, async ({ shape, mean }, context) => {
      const reason = absent();
      if (reason !== null) return context.skip(reason);
      if (!useOnWebgpu({ subgroups })) return context.skip('the adapter has no subgroups');
      const [channels] = shape.slice(-1) as [number];
      const inputs = (): tf.Tensor[] => [
        tf.add(randomTensor(shape, 1), mean),
        randomTensor([channels], 2),
        randomTensor([channels], 3),
      ];
      const results = (normalise: (x: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor) => tf.Tensor): tf.Tensor[] => {
        const { value, grads } = tf.valueAndGrads((...[x, scale, offset]) => normalise(x!, scale!, offset!))(
          inputs(),
          randomTensor(shape, 4),
        );
        return [value, ...grads];
      };
      const actual = await onBackend('webgpu', () =>
        results((x, scale, offset) => batchNormTraining(x as tf.Tensor4D, scale as tf.Tensor1D, offset as tf.Tensor1D)),
      );
      const again = await onBackend('webgpu', () =>
        results((x, scale, offset) => batchNormTraining(x as tf.Tensor4D, scale as tf.Tensor1D, offset as tf.Tensor1D)),
      );
      expect(again, 'the same to the bit').toEqual(actual);
      const expected = await onBackend('cpu', () =>
        results((x, scale, offset) => {
          const { mean, variance } = tf.moments(x, [0, 1, 2]);
          return tf.add(tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-5))), scale), offset);
        }),
      );
      // Single precision itself leaves three digits less where the mean is a thousand.
      const tolerance = mean === 0 ? 1e-5 : 2e-3;
      for (const [i, name] of ['y', 'dx', 'dscale', 'doffset'].entries()) {
        expectClose(name, actual[i]!, expected[i]!, tolerance);
      }
    });
  });
}

/** Sets how the adapter computes for what follows; false where it cannot. */
export function useOnWebgpu(wanted: Partial<Arithmetic>): boolean {
  const { device } = tf.findBackend('webgpu') as WebgpuBackend;
  if (wanted.precision === 'f16' && !device.features.has('shader-f16')) return false;
  if (wanted.subgroups === true && !device.features.has('subgroups')) return false;
  useArithmetic(device, { ...arithmeticOf(device), ...wanted });
  return true;
}

export async function onBoth(work: () => tf.Tensor[]): Promise<[ArrayLike<number>[], ArrayLike<number>[]]> {
  return [await onBackend('webgpu', work), await onBackend('cpu', work)];
}

export async function onBackend(backend: string, work: () => tf.Tensor[]): Promise<ArrayLike<number>[]> {
  await tf.setBackend(backend);
  const tensors = work();
  return await Promise.all(tensors.map((tensor) => tensor.data()));
}

export function randomTensor(shape: readonly number[], seed: number): tf.Tensor {
  return tf.tensor(randomValues(shape, seed), [...shape]);
}

export function randomValues(shape: readonly number[], seed: number): Float32Array {
  const random = createRandom(seed);
  return Float32Array.from({ length: shape.reduce((product, side) => product * side, 1) }, () => random.normal());
}

/** Relative to the largest number that is expected, or to 1 where all are smaller. */
export function expectClose(
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
): void {
  expect([what, actual.length]).toEqual([what, expected.length]);
  let worst = 0;
  let largest = 1;
  for (let i = 0; i < expected.length; i++) {
    worst = Math.max(worst, Math.abs(actual[i]! - expected[i]!));
    largest = Math.max(largest, Math.abs(expected[i]!));
    if (!Number.isFinite(actual[i])) worst = Infinity;
  }
  expect(worst / largest, what).toBeLessThanOrEqual(tolerance);
}
