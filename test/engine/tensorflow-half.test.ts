import * as tf from '@tensorflow/tfjs-core';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadEngine } from '../../src-main/engine/engines.ts';
import type { CpuPrecision } from '../../src-main/engine/precision.ts';
import type { TensorWork } from '../../src-main/engine/program.ts';
import { multipliesBfloat16 } from '../../src-main/engine/tensorflow-half.ts';
import { compileToGraph } from '../../src-main/engine/tensorflow-program.ts';
import type { TensorflowBackend } from '../../src-main/engine/tensorflow.ts';
import { temporaryFolder } from '../dataset/pictures.ts';
import { engineFolderForTests } from '../support/engine-folder.ts';

/* bfloat16 works on every processor; only without the instructions it is slow. */

describe('convolutions in bfloat16', () => {
  let absent = '';
  beforeAll(async () => {
    try {
      await loadEngine('tensorflow', engineFolderForTests());
    } catch (error) {
      absent = String(error);
    }
  });

  it('multiply what is rounded to 8 bits, and add in single precision', async (context) => {
    if (absent !== '') return context.skip(absent);
    // 1 + 2⁻⁸ lies halfway between two numbers of bfloat16 and goes to the even one, 1; 257 products of 1 need 9 bits.
    const depth = 257;
    const work: TensorWork = ({ x, filter }) => ({ y: tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 1, 'valid') });
    const inputs = { x: tf.fill([1, 1, 1, depth], 1 + 2 ** -8), filter: tf.ones([1, 1, depth, 1]) };
    const [single, half] = await Promise.all(
      (['f32', 'bf16'] as const).map((precision) => run(work, inputs, precision)),
    );
    expect(single).toEqual([depth * (1 + 2 ** -8)]);
    // The sum is converted to bfloat16 at the end, to 258 of the even numbers from 256 on, or 256.
    expect([256, 258]).toContain(half![0]);
  });

  it.for([
    { filterSize: 3, stride: 1 },
    { filterSize: 3, stride: 2 },
    { filterSize: 7, stride: 4 },
    { filterSize: 1, stride: 1 },
    { filterSize: 1, stride: 2 },
  ])(
    'and their gradients differ by the rounding alone: $filterSize × $filterSize, stride $stride',
    async ({ filterSize, stride }, context) => {
      if (absent !== '') return context.skip(absent);
      const work: TensorWork = (given) => {
        const { x, filter, dy } = given as Record<string, tf.Tensor4D>;
        const y = tf.conv2d(x!, filter!, stride, 'same');
        const [dx, dFilter] = tf.grads((a: tf.Tensor, b: tf.Tensor) =>
          tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, stride, 'same'),
        )([x!, filter!], dy);
        return { y, dx: dx!, dFilter: dFilter! };
      };
      const side = Math.ceil(13 / stride);
      const inputs = {
        x: tf.randomNormal([5, 13, 13, 6], 0, 1, 'float32', 1),
        filter: tf.randomNormal([filterSize, filterSize, 6, 10], 0, 1, 'float32', 2),
        dy: tf.randomNormal([5, side, side, 10], 0, 1e-6, 'float32', 3),
      };
      const [single, half] = await Promise.all(
        (['f32', 'bf16'] as const).map((precision) => runAll(work, inputs, precision)),
      );
      for (const [name, expected] of Object.entries(single!)) {
        const found = half![name]!;
        const largest = Math.max(...expected.map(Math.abs));
        const difference = Math.max(...expected.map((value, i) => Math.abs(value - found[i]!)));
        // Each factor and each result is off by up to 2⁻⁹ of itself; random signs add up to less than the largest sum.
        expect({ name, small: difference / largest < 3 * 2 ** -8 }).toEqual({ name, small: true });
      }
    },
  );
});

describe('a processor', () => {
  it.each([
    ['flags\t\t: fpu avx512f avx512_bf16 amx_tile', true],
    ['flags\t\t: fpu avx512f amx_bf16', true],
    ['flags\t\t: fpu avx2 avx512f', false],
    ['Features\t: fp asimd bf16', false],
  ])('that says "%s" multiplies bfloat16: %s', async (line, expected) => {
    const file = path.join(await temporaryFolder(), 'cpuinfo');
    await writeFile(file, `processor\t: 0\n${line}\nbugs\t\t:\n`);
    expect(multipliesBfloat16(file)).toBe(expected);
  });

  it('of which nothing is known does not', () => {
    expect(multipliesBfloat16('/nowhere/cpuinfo')).toBe(false);
  });
});

async function runAll(
  work: TensorWork,
  inputs: tf.NamedTensorMap,
  precision: CpuPrecision,
): Promise<Record<string, readonly number[]>> {
  const program = compileToGraph(tf.backend() as TensorflowBackend, work, precision);
  const results = tf.tidy(() => program.run(inputs));
  const values = await Promise.all(
    Object.entries(results).map(async ([name, tensor]) => [name, [...(await tensor.data())]] as const),
  );
  tf.dispose(results);
  program.dispose();
  return Object.fromEntries(values);
}

async function run(work: TensorWork, inputs: tf.NamedTensorMap, precision: CpuPrecision): Promise<readonly number[]> {
  return (await runAll(work, inputs, precision))['y']!;
}
