import * as tf from '@tensorflow/tfjs-core';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { TrainerEvent } from '../../shared/trainer-protocol.ts';
import { startTrainerProcess } from '../../src-main/app/trainer-process.ts';
import { loadEngine } from '../../src-main/engine/engines.ts';
import { isSoftwareAdapter } from '../../src-main/engine/webgpu.ts';
import { programPaths } from '../../src-main/hosts/paths.ts';
import { fusedSgdStep, movedAverage, relu } from '../../src-main/sat/operations.ts';
import { allowSoftwareGpu } from '../support/software-gpu.ts';
import { describeNormalisation, expectClose, onBackend, onBoth, randomTensor, randomValues } from './webgpu-cases.ts';

/* Kernels of ours on WebGPU against tfjs's plain JavaScript; on a software adapter where there is no card. */

let absent: string | null = null;
let device = '';

beforeAll(async () => {
  allowSoftwareGpu();
  try {
    const engine = await loadEngine('webgpu', null);
    device = engine.device;
    console.log(`engine in use: webgpu, ${device}`);
    engine.broken?.catch((error: unknown) => console.error(error));
  } catch (error) {
    absent = String(error);
    console.warn(`engine not in use: webgpu: ${absent}`);
  }
});

describe('convolutions', () => {
  it.for([
    { name: '3 × 3, 3 to 4 channels', x: [2, 6, 7, 3], filter: [3, 3, 3, 4], stride: 1, pad: 'same' },
    { name: '5 × 3, stride 2, valid', x: [3, 9, 7, 4], filter: [5, 3, 4, 6], stride: 2, pad: 'valid' },
    { name: '7 × 7, stride 4, 5 channels out', x: [2, 17, 16, 3], filter: [7, 7, 3, 5], stride: 4, pad: 'same' },
    {
      name: '1 × 1, stride 2: pixels without a gradient',
      x: [2, 7, 8, 8],
      filter: [1, 1, 8, 16],
      stride: 2,
      pad: 'same',
    },
    {
      name: '1 × 1, stride 3 and pixels past the last',
      x: [1, 8, 8, 4],
      filter: [1, 1, 4, 4],
      stride: 3,
      pad: 'valid',
    },
    { name: 'padding by hand', x: [2, 8, 8, 4], filter: [3, 3, 4, 8], stride: 1, pad: 2 },
    { name: 'more rows and columns than a tile', x: [1, 9, 9, 12], filter: [3, 3, 12, 68], stride: 1, pad: 'same' },
    { name: 'a depth that is split', x: [40, 8, 8, 4], filter: [3, 3, 4, 4], stride: 1, pad: 'same' },
  ] as const)('$name', { timeout: 180_000 }, async ({ x, filter, stride, pad }, context) => {
    if (absent !== null) return context.skip(absent);
    const [actual, expected] = await onBoth(() => {
      const picture = randomTensor(x, 1) as tf.Tensor4D;
      const taps = randomTensor(filter, 2) as tf.Tensor4D;
      const convolve = (...[a, b]: tf.Tensor[]): tf.Tensor =>
        tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, stride, pad);
      const y = convolve(picture, taps);
      return [y, ...tf.grads(convolve)([picture, taps], randomTensor(y.shape, 3))];
    });
    for (const [i, name] of ['y', 'dx', 'dfilter'].entries()) expectClose(name, actual[i]!, expected[i]!, 1e-5);
  });

  it('splits the depth of every batch size with one shader', { timeout: 180_000 }, async (context) => {
    if (absent !== null) return context.skip(absent);
    // As at the end of an epoch, and behind it.
    for (const batch of [2, 1, 2]) {
      const [actual, expected] = await onBoth(() => {
        const x = randomTensor([batch, 4, 4, 32], 1) as tf.Tensor4D;
        const filter = randomTensor([3, 3, 32, 32], 2) as tf.Tensor4D;
        const convolve = (...[a, b]: tf.Tensor[]): tf.Tensor =>
          tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, 1, 'same');
        return [convolve(x, filter), ...tf.grads(convolve)([x, filter], randomTensor(x.shape, 3))];
      });
      for (const [i, name] of ['y', 'dx', 'dfilter'].entries()) {
        expectClose(`${name} of ${batch}`, actual[i]!, expected[i]!, 1e-5);
      }
    }
  });

  it('leaves dilated ones to tfjs', async (context) => {
    if (absent !== null) return context.skip(absent);
    const [actual, expected] = await onBoth(() => {
      const picture = randomTensor([1, 6, 6, 4], 1) as tf.Tensor4D;
      const filter = randomTensor([3, 3, 4, 4], 2) as tf.Tensor4D;
      return [tf.conv2d(picture, filter, 1, 'same', 'NHWC', 2)];
    });
    expectClose('dilated', actual[0]!, expected[0]!, 1e-5);
  });
});

describeNormalisation(() => absent);

describe('small programs', () => {
  it.for([{ shape: [7, 5, 3] }, { shape: [8, 8] }])(
    'relu, moving average and step of SGD of $shape',
    async ({ shape }, context) => {
      if (absent !== null) return context.skip(absent);
      const [a, b, c] = [1, 2, 3].map((seed) => randomValues(shape, seed)) as [
        Float32Array,
        Float32Array,
        Float32Array,
      ];
      const tensorOf = (values: Float32Array): tf.Tensor => tf.tensor(values, shape);
      const [gradient, average] = await onBackend('webgpu', () => [
        tf.grad((x) => relu(x as tf.Tensor4D))(tensorOf(a), tensorOf(b)),
        movedAverage(tensorOf(a), tensorOf(b), 0.1),
      ]);
      expectClose(
        'relu',
        gradient!,
        b.map((value, i) => (a[i]! > 0 ? value : 0)),
        0,
      );
      expectClose(
        'average',
        average!,
        b.map((value, i) => 0.9 * a[i]! + 0.1 * value),
        1e-6,
      );
      for (const nesterov of [true, false]) {
        const settings = { momentum: 0.9, weightDecay: 5e-4, nesterov };
        const [parameter, velocity] = await onBackend('webgpu', () =>
          fusedSgdStep(
            { parameter: tensorOf(a), velocity: tensorOf(b), gradient: tensorOf(c), learningRate: tf.tensor1d([0.1]) },
            settings,
          )!,
        );
        const decayed = [...c].map((gradient, i) => gradient + 5e-4 * a[i]!);
        const moved = decayed.map((gradient, i) => 0.9 * b[i]! + gradient);
        expectClose('velocity', velocity!, moved, 1e-6);
        const next = moved.map((v, i) => a[i]! - 0.1 * (nesterov ? decayed[i]! + 0.9 * v : v));
        expectClose('parameter', parameter!, next, 1e-6);
      }
    },
  );
});

it('adds more tensors than a program may bind', async (context) => {
  if (absent !== null) return context.skip(absent);
  const tensors = (): tf.Tensor[] => Array.from({ length: 40 }, (_, seed) => randomTensor([5, 3], seed + 1));
  const [actual, expected] = await onBoth(() => [tf.addN(tensors())]);
  expectClose('sum', actual[0]!, expected[0]!, 1e-5);
});

describe('the adapter', () => {
  it('is a software one by its own word or by its name', () => {
    const card = {
      vendor: 'nvidia',
      architecture: 'hopper',
      device: 'nvidia-h100',
      description: 'NVIDIA: 570.1',
      isFallbackAdapter: false,
    };
    expect(isSoftwareAdapter(card)).toBe(false);
    expect(isSoftwareAdapter({ ...card, isFallbackAdapter: true })).toBe(true);
    expect(isSoftwareAdapter({ ...card, vendor: 'mesa', device: 'llvmpipe-llvm-15' })).toBe(true);
    expect(
      isSoftwareAdapter({
        ...card,
        device: 'microsoft-basic-render-driver',
        description: 'Microsoft Basic Render Driver',
      }),
    ).toBe(true);
  });

  it('is refused in words where it is a software one and nobody allowed that', async (context) => {
    if (absent !== null) return context.skip(absent);
    if (!device.startsWith('software')) return context.skip('there is a card');
    process.env['WINNOW_SOFTWARE_GPU'] = '0';
    const answer = await ask(programPaths().trainerProgram);
    process.env['WINNOW_SOFTWARE_GPU'] = '1';
    expect(answer).toMatchObject({
      kind: 'failed',
      reason: 'error',
      message: expect.stringContaining('computes on the CPU'),
    });
  });

  it('is missed with a reason of its own when it is lost', async (context) => {
    if (absent !== null) return context.skip(absent);
    const answer = await ask(path.join(import.meta.dirname, 'losing-trainer.ts'));
    expect(answer).toMatchObject({
      kind: 'failed',
      reason: 'device-lost',
      message: expect.stringContaining('The GPU was lost'),
    });
  });
});

/** The answer of a real trainer that is asked for the speed of WebGPU. */
async function ask(program: string): Promise<TrainerEvent> {
  const trainer = startTrainerProcess({ nodePath: programPaths().nodePath, program });
  try {
    const answer = new Promise<TrainerEvent>((resolve) => trainer.onMessage(resolve));
    const dead = trainer.ended.then(({ lastWords }) => Promise.reject(new Error(lastWords)));
    trainer.post({ kind: 'probe', runId: 1, engine: 'webgpu', measure: true, engineFolder: null });
    return await Promise.race([answer, dead]);
  } finally {
    trainer.kill();
  }
}
